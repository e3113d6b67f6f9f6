import Foundation
import Testing

@testable import Logs

struct LogTimeTests {
    private func text(_ seconds: Double) -> String {
        var line = LogLine()
        LogTime.append(Date(timeIntervalSince1970: seconds), to: &line)
        return String(decoding: line.bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400.25, "2000-02-29T00:00:00.250Z"), (1_735_689_599.999, "2024-12-31T23:59:59.999Z"),
        (-0.25, "1969-12-31T23:59:59.750Z"), (-1, "1969-12-31T23:59:59.000Z"), (-86_400.5, "1969-12-30T23:59:59.500Z"),
        (4_102_444_800, "2100-01-01T00:00:00.000Z"), (4_107_542_400, "2100-03-01T00:00:00.000Z"),
    ])
    func timesAreOfUTC(seconds: Double, expected: String) {
        #expect(text(seconds) == expected)
    }
}
