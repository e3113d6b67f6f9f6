import ArgumentParser
import Glibc
import Testing

@testable import ntk_server

/// The option wins over the environment, which wins over the default. Variables of names that no option has.
struct SettingTests {
    @Test func anOptionWinsOverTheEnvironment() throws {
        let setting = Setting(variable: "NTK_TEST_ORDER", standard: 5)
        #expect(try setting.resolve(nil) == 5)
        _ = unsafe setenv(setting.variable, "7", 1)
        defer { _ = unsafe unsetenv(setting.variable) }
        #expect(try setting.resolve(nil) == 7)
        #expect(try setting.resolve(9) == 9)
    }

    @Test(arguments: ["", "x", "7 ", "7.5", "0x7"]) func aVariableThatIsNoValueIsToldOf(text: String) {
        let setting = Setting(variable: "NTK_TEST_\(text.utf8.reduce(0) { $0 &* 31 &+ Int($1) })", standard: 5)
        _ = unsafe setenv(setting.variable, text, 1)
        defer { _ = unsafe unsetenv(setting.variable) }
        do {
            _ = try setting.resolve(nil)
            Issue.record("'\(text)' was taken for a number")
        } catch {
            #expect("\(error)".contains(setting.variable) && "\(error)".contains("'\(text)'"))
        }
    }

    @Test func secondsAreMoreThanNoneAndLessThanTenYears() {
        for text in ["0", "-1", "nan", "inf", "", "x", "320000000"] { #expect(Seconds(argument: text) == nil, "\(text)") }
        #expect(Seconds(argument: "0.25")?.duration == .milliseconds(250))
        #expect(Seconds(argument: "30")?.description == "30" && Seconds(argument: "0.5")?.description == "0.5")
    }

    /// Every option of `serve` that has a variable is documented with it, each variable once.
    @Test func helpNamesTheVariables() {
        let help = Serve.helpMessage(columns: 10_000)
        let named = help.matches(of: #/NTK_[A-Z_]+/#).map { String($0.output) }
        #expect(named.count > 35)
        for (name, count) in Dictionary(named.map { ($0, 1) }, uniquingKeysWith: +) { #expect(count == 1, "\(name) stands \(count) times") }
    }
}
