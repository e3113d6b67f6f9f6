import Foundation
import Gateway
import TestSupport
import Testing

@Suite struct APIKeyFileTests {
    private let hash = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
    private let other = String(repeating: "0a", count: 32)

    private func parse(_ text: String) throws(APIKeyFileError) -> [APIKey] { try APIKeyFile.parse(Array(text.utf8)) }

    /// FIPS 180-4's own example of "abc".
    @Test func theDigestIsSHA256() {
        #expect(KeyDigest(of: "abc").description == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(KeyDigest(of: "password").description == hash)
        #expect(KeyDigest(hexadecimal: hash.uppercased()) == KeyDigest(of: "password"))
        #expect(KeyDigest(of: "password").equalsInConstantTime(KeyDigest(of: "password")))
        #expect(!KeyDigest(of: "password").equalsInConstantTime(KeyDigest(of: "passwore")))
    }

    @Test func linesAreReadWithCommentsAndBothEnds() throws {
        let keys = try parse("# keys\r\n\n\(hash) alice\r\n  \(other)\tbob@x.org 2027-01-31\n")
        #expect(keys.map(\.name) == ["alice", "bob@x.org"])
        #expect(keys[0].expiry == nil)
        #expect(keys[1].expiry == Date(timeIntervalSince1970: 1_801_353_600))
    }

    @Test func jsonSaysTheSame() throws {
        let json = #"{"keys":[{"sha256":"\#(hash)","name":"alice"},{"sha256":"\#(other)","name":"bob@x.org","expires":"2027-01-31T01:00:00+01:00"}]}"#
        #expect(try parse(json) == parse("\(hash) alice\n\(other) bob@x.org 2027-01-31"))
        #expect(try parse(#"{"keys":[]}"#) == [] && parse("") == [] && parse("# none") == [])
    }

    @Test func aLineIsWhatItWasMadeFrom() throws {
        let key = APIKey(digest: KeyDigest(of: "k"), name: "n", expiry: Date(timeIntervalSince1970: 1_801_353_600))
        #expect(try parse(key.line) == [key])
    }

    @Test(arguments: [
        ("HASH", "line 1"), ("HASH a b c", "line 1"), ("\n\nsecret alice", "line 3"), ("HASH al/ice", "line 1"), ("HASH alice tomorrow", "line 1"),
        ("HASH alice 2027-02-31", "line 1"), ("HASH alice\nHASH bob", "line 2"), ("HASHx alice", "line 1"),
        (#"{"keys":1}"#, "JSON"), (#"{"keys":[],"more":1}"#, "JSON"), (#"{"keys":[1]}"#, "/keys/0"), (#"{"keys":[{"sha256":"HASH"}]}"#, "/keys/0"),
        (#"{"keys":[{"sha256":"HASH","name":"a","expires":1}]}"#, "/keys/0"),
        (#"{"keys":[{"sha256":"HASH","name":"a","expiry":"2027-01-01"}]}"#, "/keys/0"),
    ])
    func aFaultIsNamedByItsPlace(text: String, place: String) throws {
        let text = text.replacing("HASH", with: hash)
        let error = #expect(throws: APIKeyFileError.self) { try parse(text) }
        #expect(error?.place == place)
        // What stands in place of the hash may be a key.
        #expect(error?.description.contains("secret") == false && error?.description.contains(hash) == false)
    }

    /// Whatever stands there, it is an answer or an error.
    @Test func noBytesAreTooStrange() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let pieces = [hash, " ", "\n", "#", "a", "\u{0}", "{", "\"keys\"", ":", "[", "]", "}", "\t", "2027-01-01", "é"]
        for _ in 0..<500 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<12, using: &generator) { bytes += Array((pieces.randomElement(using: &generator) ?? "").utf8) }
            if Bool.random(using: &generator) { bytes.append(UInt8.random(in: 0...255, using: &generator)) }
            _ = try? APIKeyFile.parse(bytes)
        }
    }
}
