import Foundation
import Testing

/// A message that is malformed, that smuggles, or that comes close to it, and what must become of it.
struct CorpusMessage: Sendable, CustomTestStringConvertible {
    enum Outcome: Equatable, Sendable {
        case refused(status: Int)
        case requests(Int)
        /// More has to come.
        case unfinished
    }

    var name: String
    /// The rule that the message breaks, or comes close to.
    var rule: String
    var outcome: Outcome
    var octets: [UInt8]

    var testDescription: String { name }
}

/// `Corpus/messages.tsv`, whose head explains its form.
enum Corpus {
    static let messages: [CorpusMessage] = {
        guard let url = Bundle.module.url(forResource: "messages", withExtension: "tsv", subdirectory: "Corpus"),
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 4, let outcome = outcome(parts[2]) else { return nil }
            return CorpusMessage(name: parts[0], rule: parts[1], outcome: outcome, octets: octets(Array(parts[3].utf8)[...]))
        }
    }()

    private static func outcome(_ text: String) -> CorpusMessage.Outcome? {
        if text == "wait" { return .unfinished }
        if text.hasPrefix("ok:") { return Int(text.dropFirst(3)).map { .requests($0) } }
        return Int(text).map { .refused(status: $0) }
    }

    private static func octets(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var (rest, octets) = (text, [UInt8]())
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                octets.append(octet)
                continue
            }
            switch escape {
            case UInt8(ascii: "r"): octets.append(13)
            case UInt8(ascii: "n"): octets.append(10)
            case UInt8(ascii: "t"): octets.append(9)
            case UInt8(ascii: "0"): octets.append(0)
            case UInt8(ascii: "x"):
                octets.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "{"):
                guard let star = rest.firstIndex(of: UInt8(ascii: "*")), let end = rest.firstIndex(of: UInt8(ascii: "}")) else { break }
                let count = Int(String(decoding: rest[(star + 1)..<end], as: UTF8.self)) ?? 0
                octets += repeatElement(Self.octets(rest[..<star]), count: count).joined()
                rest = rest[(end + 1)...]
            default: octets.append(escape)
            }
        }
        return octets
    }
}
