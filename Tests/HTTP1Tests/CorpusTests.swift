import HTTP1
import HTTPTypes
import Testing

@Suite("Malformed and smuggling messages")
struct CorpusTests {
    @Test("There are at least 150, each with a name of its own")
    func count() {
        #expect(Corpus.messages.count >= 150)
        #expect(Set(Corpus.messages.map(\.name)).count == Corpus.messages.count)
    }

    @Test("Each is refused with its status and by its rule, or is as many requests as it looks", arguments: Corpus.messages)
    func whole(message: CorpusMessage) {
        check(ParserHarness.run(message.octets), message, "whole")
    }

    @Test("… also octet by octet", arguments: Corpus.messages)
    func octetByOctet(message: CorpusMessage) {
        check(ParserHarness.run(message.octets, cuts: Array(0..<message.octets.count)), message, "octet by octet")
    }

    @Test("… also cut in two at every octet", arguments: Corpus.messages)
    func cutInTwo(message: CorpusMessage) {
        // Of a long message, most octets are one of many equal ones: those at its ends are cut, and every 501st between.
        let ends = 400
        for cut in message.octets.indices where cut < ends || cut > message.octets.count - ends || cut % 501 == 0 {
            check(ParserHarness.run(message.octets, cuts: [cut]), message, "cut at \(cut)")
        }
    }

    private func check(_ outcome: Outcome, _ message: CorpusMessage, _ how: String) {
        switch message.outcome {
        case .refused(let status):
            let (came, rule) = (outcome.rejection?.status.code, outcome.rejection?.rule)
            if came != status || rule != message.rule {
                Issue.record("\(message.name), \(how): \(came ?? 0) by \(rule ?? "no rule") instead of \(status) by \(message.rule)")
            }
        case .requests(let count):
            if outcome.rejection != nil || outcome.unfinished != nil || outcome.requests.count != count {
                Issue.record("\(message.name), \(how): \(count) requests expected; \(outcome)")
            }
        case .unfinished:
            if outcome.rejection != nil || outcome.unfinished == nil || !outcome.requests.isEmpty {
                Issue.record("\(message.name), \(how): an unfinished request expected; \(outcome)")
            }
        }
    }
}
