import Testing

@testable import NTKService

@Suite("YAML as JSON")
struct OpenAPIDocumentTests {
    private func json(_ yaml: String) -> String? { OpenAPIDocument.json(of: Array(yaml.utf8)).map { String(decoding: $0, as: UTF8.self) } }

    @Test("What stands plainly and is JSON stays that; all else is text")
    func scalars() {
        #expect(
            json("[1, -2.50, true, null, '1', \"true\", 1.2.3, ~, yes, 2020-01-01, é]")
                == #"[1,-2.50,true,null,"1","true","1.2.3","~","yes","2020-01-01","é"]"#)
    }

    @Test("Members keep their order, and an alias is what it stands for")
    func trees() {
        #expect(json("b: &x {c: [1, {}]}\na: *x\n'2': |\n  two\n  lines\n") == #"{"b":{"c":[1,{}]},"a":{"c":[1,{}]},"2":"two\nlines\n"}"#)
    }

    @Test("What is no YAML is none", arguments: ["a: [1", "a: b: c", ""])
    func faults(_ yaml: String) { #expect(json(yaml) == nil) }
}
