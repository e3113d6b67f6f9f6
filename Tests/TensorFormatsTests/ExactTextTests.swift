import TensorFormats
import Testing

@Suite("Texts by their code points")
struct ExactTextTests {
    /// Pairs that are equal to `String ==`: an accent, the Ångström sign, the Kelvin sign, the Greek question mark, Hangul.
    static let alike = [
        ("\u{E9}", "e\u{301}"), ("\u{C5}", "\u{212B}"), ("\u{212B}", "A\u{30A}"), ("K", "\u{212A}"), (";", "\u{37E}"),
        ("\u{AC00}", "\u{1100}\u{1161}"),
    ]

    @Test(arguments: alike)
    func areOthers(one: String, other: String) {
        #expect(one == other, "the trap that this is about")
        #expect(ExactText(one) != ExactText(other))
        #expect(Set([ExactText(one), ExactText(other), ExactText(one)]).count == 2)
        #expect(!one.isSame(as: other) && one.isSame(as: one))
        #expect((ExactText(one) < ExactText(other)) != (ExactText(other) < ExactText(one)))
    }

    @Test func orderIsThatOfCodePoints() {
        let texts = ["", "A", "Z", "a", "e\u{301}", "z", "\u{E9}", "\u{FFFD}", "\u{10000}"]
        #expect(texts.reversed().map { ExactText($0) }.sorted().map(\.text) == texts)
    }
}

@Suite("Parts of a form")
struct MultipartFieldTests {
    private func read(_ disposition: String, type: String = "application/x-npy") throws -> Multipart.Part {
        let body = "--b\r\nContent-Disposition: \(disposition)\r\nContent-Type: \(type)\r\n\r\n1\r\n--b--\r\n"
        return try #require(try Multipart.read(Array(body.utf8), contentType: "multipart/form-data; boundary=b").first)
    }

    @Test(arguments: [
        ("form-data; name=x1", "x1"), (#"form-data; name="x1""#, "x1"), (#"form-data;name="x1";filename="a;name=b.npy""#, "x1"),
        (#"form-data; filename="a\"; name=b"; name=x1"#, "x1"), (#"FORM-DATA; NAME="x1""#, "x1"), (#"form-data; name="a\\b""#, #"a\b"#),
        (#"form-data; name="x1"; filename="C:\dir\a.npy""#, "x1"), ("form-data; name=\"e\u{301}\"", "e\u{301}"),
        ("form-data; name=\"\u{37E}\"", "\u{37E}"),
        ("form-data; ; name = x1 ;", "x1"), ("form-data; name=\"\"", ""),
    ])
    func names(disposition: String, name: String) throws { #expect(try read(disposition).name.isSame(as: name)) }

    @Test(arguments: [
        "form-data", "form-data; filename=a", "form-data; name=a; name=b", #"form-data; name="a"#, #"form-data; name="a"b"#, "form-data; name",
        "form-data\u{37E} name=a",
    ])
    func faults(disposition: String) { #expect(throws: FormatError.self) { try read(disposition) } }

    @Test func typesAreReadWithoutParameters() throws {
        #expect(try read("form-data; name=a", type: "Application/JSON ; charset=utf-8").mediaType == "application/json")
        #expect(try read("form-data; name=a", type: "application/json\u{37E}a").mediaType != "application/json")
    }

    @Test func oneOfEachFieldAndWholeLines() {
        for lines in [
            "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b", "X: y\nContent-Disposition: form-data; name=a",
        ] {
            #expect(throws: FormatError.self) {
                try Multipart.read(Array("--b\r\n\(lines)\r\n\r\n1\r\n--b--".utf8), contentType: "multipart/form-data; boundary=b")
            }
        }
    }

    @Test(
        arguments: [
            ([0x80, 0x04, 0x95], "a pickle"), (Array("\u{89}HDF\r\n".unicodeScalars.map { UInt8($0.value) }) + [0x1A, 0x0A], "an HDF5 file"),
            (Array("version https://git-lfs.github.com/spec/v1\noid sha256:0".utf8), "a git-LFS pointer"), (Array("a,b\n1,2\n".utf8), "CSV text"),
            (Array("hello".utf8), "text"), (Array(" {\"a\":1}".utf8), "JSON text"), ([], "nothing"), ([0x1F, 0x8B, 8], "a gzip file"),
            (Array("<html>".utf8), "HTML or XML text"), ([2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8), "a .safetensors file"),
        ] as [([UInt8], String)])
    func filesAreKnownByTheirBeginning(bytes: [UInt8], name: String) { #expect(FileKind.name(bytes[...])?.hasPrefix(name) == true) }

    @Test func whatIsNothingKnownHasNoName() { #expect(FileKind.name([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) == nil) }
}
