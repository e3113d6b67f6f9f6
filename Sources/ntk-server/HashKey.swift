import ArgumentParser
import Gateway
import Logs

/// `ntk-server hash-key`: makes a line for the file of `--api-keys`.
struct HashKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a line for the file of --api-keys.",
        discussion: """
            The line goes to standard output: SHA-256 of the key, name, expiry. With --generate a new key of 256 random bits goes to standard \
            error; it is shown this once. Without, a key is read from the first line of standard input, where no list of processes shows it. \
            "ntk-server hash-key alice --generate >> keys"
            """)

    /// A shorter one can be found by trying.
    private static let shortest = 16

    @Argument(help: "Name of the key in logs: 1 to 64 letters, digits and ._@-. Keys of one name share their rate limit.")
    var name: String

    @Flag(help: "Make a new key.")
    var generate = false

    @Option(help: "From when on it is refused: 2027-01-31 or 2027-01-31T12:00:00Z.")
    var expires: String?

    func run() throws {
        guard APIKey.isName(name) else { throw ValidationError("A name of 1 to 64 letters, digits and ._@- expected.") }
        let expiry = expires.map { (text: $0, date: APIKey.date($0)) }
        if let expiry, expiry.date == nil {
            throw ValidationError("--expires: 2027-01-31 or 2027-01-31T12:00:00Z expected; '\(expiry.text)' came.")
        }
        let key: String
        if generate {
            var generator = SystemRandomNumberGenerator()
            let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            key = "ntk_" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        } else {
            key = readLine() ?? ""
            guard key.utf8.count >= Self.shortest, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw ValidationError("A key of at least \(Self.shortest) visible ASCII characters expected on standard input, or --generate.")
            }
        }
        print(APIKey(digest: KeyDigest(of: key), name: name, expiry: expiry?.date).line)
        if generate { OutputFile.standardError.write("\(key)\n") }
    }
}
