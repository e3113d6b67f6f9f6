import Foundation
import Logging
import Logs
import TestSupport
import Testing

@Suite struct ServerLogHandlerTests {
    /// What a logger writes.
    private func written(_ format: LogFormat, _ log: (Logger) -> Void) throws -> [String] {
        let pipe = Pipe()
        let writer = LogWriter(fileDescriptor: pipe.fileHandleForWriting.fileDescriptor)
        log(Logger(label: "test") { _ in ServerLogHandler(format, to: writer) })
        writer.flush()
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private func object(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func anEventIsOneObject() throws {
        let lines = try written(.json) {
            $0.info(
                "request", metadata: ["status": .stringConvertible(200), "ms": .stringConvertible(1.5), "ok": .stringConvertible(true), "id": "a"])
        }
        #expect(lines.count == 1)
        let line = try object(lines[0])
        #expect(line["message"] as? String == "request" && line["level"] as? String == "info" && line["id"] as? String == "a")
        #expect(line["ok"] as? Bool == true && line["status"] as? Int == 200 && line["ms"] as? Double == 1.5)
        let text = try #require(line["time"] as? String)
        #expect(try abs(Date(text.replacing(/\.\d{3}/, with: ""), strategy: .iso8601).timeIntervalSinceNow) < 60)
    }

    /// Everything that could end a line, close a string or drive a terminal.
    @Test(arguments: LogFormat.allCases)
    func nothingForgesALine(format: LogFormat) throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let alphabet: [Unicode.Scalar] = [
            "\n", "\r", "\0", "\u{1b}", "\"", "\\", "\u{7f}", "\u{85}", "\u{9b}", "\u{2028}", "\u{2029}", "\u{202e}", "\u{feff}", "a", "}", ",", "é",
            "😀",
        ]
        for _ in 0..<200 {
            var scalars = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0..<30, using: &generator) { scalars.append(alphabet.randomElement(using: &generator) ?? "a") }
            let hostile = String(scalars)
            let lines = try written(format) { $0.info("\(hostile)", metadata: ["\(hostile)k": .string(hostile), "n": ["m": ["\(hostile)"]]]) }
            #expect(lines.count == 1, "seed \(seed)")
            #expect(lines[0].unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) && $0 != "\u{2028}" }, "seed \(seed)")
            if format == .json {
                let line = try object(lines[0])
                #expect(line["message"] as? String == hostile && line["\(hostile)k"] as? String == hostile, "seed \(seed)")
            }
        }
    }

    @Test func belowTheLevelNothingIsWritten() throws {
        let lines = try written(.json) { logger in
            var logger = logger
            logger.logLevel = .warning
            logger.info("no")
            logger.error("yes")
        }
        #expect(lines.count == 1 && lines[0].contains("yes"))
    }

    /// A reader that does not read holds nobody up; what was lost is counted.
    @Test func aFullPipeDoesNotBlock() async throws {
        let pipe = Pipe()
        let writer = LogWriter(fileDescriptor: pipe.fileHandleForWriting.fileDescriptor, capacity: 20_000)
        let logger = Logger(label: "test") { _ in ServerLogHandler(.json, to: writer) }
        for number in 0..<2_000 { logger.info("line \(number)", metadata: ["padding": .string(String(repeating: "x", count: 100))]) }
        let reading = pipe.fileHandleForReading
        let read = Task.detached { reading.readDataToEndOfFile() }
        writer.flush()
        try pipe.fileHandleForWriting.close()
        let lines = String(decoding: await read.value, as: UTF8.self).split(separator: "\n")
        #expect(lines.count < 2_000)
        #expect(lines.contains { $0.contains("log lines were dropped") })
    }
}
