import Foundation
import Logging
import Logs
import Testing

/// Lines of named values, in both formats.
struct LogFieldsTests {
    private func line(_ format: LogFormat, _ add: (inout LogFields) -> Void) throws -> String {
        let pipe = Pipe()
        let writer = LogWriter(fileDescriptor: pipe.fileHandleForWriting.fileDescriptor)
        ServerLogHandler(format, to: writer).log(level: .info, "request", add)
        writer.flush()
        try pipe.fileHandleForWriting.close()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile().dropLast(), as: UTF8.self)
    }

    @Test func valuesAsJSON() throws {
        let line = try line(.json) { fields in
            fields.add("status", 200)
            fields.add("least", Int.min)
            fields.add("path", "/a\"b\n\u{1b}é")
            fields.add("aborted", true)
            fields.add("duration_ms", milliseconds: .microseconds(12_345))
        }
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["message"] as? String == "request" && object["level"] as? String == "info")
        #expect(object["status"] as? Int == 200 && object["least"] as? Int == .min && object["aborted"] as? Bool == true)
        #expect(object["path"] as? String == "/a\"b\n\u{1b}é" && object["duration_ms"] as? Double == 12.345)
        #expect(line.utf8.allSatisfy { $0 >= 0x20 })
    }

    @Test func valuesAsText() throws {
        let line = try line(.text) { fields in
            fields.add("status", 200)
            fields.add("path", "/a b")
            fields.add(timing: "parse;dur=0.5")
        }
        #expect(line.hasSuffix("Z info request status=200 path=\"/a b\" parse_ms=0.5"))
    }

    @Test(arguments: [(0, "0.0"), (1, "0.001"), (120, "0.12"), (1_000, "1.0"), (60_000_050, "60000.05"), (-1, "0.0")])
    func millisecondsAreTheShortestDecimal(microseconds: Int, text: String) throws {
        let line = try line(.json) { $0.add("ms", milliseconds: .microseconds(microseconds)) }
        #expect(line.hasSuffix(",\"ms\":\(text)}"))
    }

    @Test func timesOfSteps() throws {
        let line = try line(.json) { $0.add(timing: "parse;dur=0.125, queue;dur=12,compute;dur=0") }
        #expect(line.hasSuffix("\"message\":\"request\",\"parse_ms\":0.125,\"queue_ms\":12,\"compute_ms\":0}"))
    }

    /// What is no name with a decimal is left out, and the others stay.
    @Test(arguments: ["", ".5", "1.", "01", "-1", "1e3", "1.2.3", "NaN", "1\n", "1\""]) func othersAreLeftOut(number: String) throws {
        for field in ["a;dur=\(number), b;dur=1", "a;dur=\(number),b;dur=1,", ",b;dur=1, a;dur=\(number)"] {
            let line = try line(.json) { $0.add(timing: field) }
            #expect(line.hasSuffix("\"message\":\"request\",\"b_ms\":1}"), "\(field)")
        }
        let others = try line(.json) { $0.add(timing: "a, a;desc=x, ;dur=1, a\";dur=1, a;dur, a;du") }
        #expect(others.hasSuffix("\"message\":\"request\"}"))
    }
}
