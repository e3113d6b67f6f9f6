import Logs
import Testing

struct LogNumberTests {
    @Test(arguments: ["0", "0.125", "12", "12.340"]) func decimals(text: String) {
        #expect(LogNumber(text[...])?.description == text)
    }

    @Test(arguments: ["", ".5", "1.", "01", "-1", "1e3", "1.2.3", "NaN", "１", "1\n"]) func othersAreNone(text: String) {
        #expect(LogNumber(text[...])?.description == nil)
    }
}
