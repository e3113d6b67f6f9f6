import Foundation
import HTTPTypes
import TensorFormats
import Testing

@testable import NTKService

/// The records of layers against the document, and against what is read.
struct LayerRecordTests {
    private struct Record {
        let name: String
        let words: String
        let fields: [FieldDescription]
    }

    private static let records =
        LayerRecords.all.map { Record(name: $0.name, words: $0.words, fields: $0.fields) }
        + ActivationRecords.all.map { Record(name: $0.name, words: $0.words, fields: $0.fields) }
    private let schemas: [String: Any]

    init() throws {
        let json = try #require(OpenAPIDocument.json)
        let document = try #require(JSONSerialization.jsonObject(with: Data(json.content)) as? [String: Any])
        schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: Any])
    }

    private func named(_ reference: Any?) -> [String: Any] {
        schemas[(reference as? String)?.split(separator: "/").last.map(String.init) ?? ""] as? [String: Any] ?? [:]
    }

    private func schema(of name: String) throws -> [String: Any] {
        let mapping = (named("Architecture")["discriminator"] as? [String: Any])?["mapping"] as? [String: Any]
        return named(try #require(mapping?[name], "\(name)"))
    }

    /// A property without null, and what it refers to.
    private func property(_ value: Any?) -> [String: Any] {
        var value = value as? [String: Any] ?? [:]
        while true {
            if let choices = value["anyOf"] as? [[String: Any]], let choice = choices.first(where: { $0["type"] as? String != "null" }) {
                value = choice.merging(value.filter { $0.key == "description" }) { $1 }
            } else if let reference = value["$ref"] {
                value = named(reference).merging(value.filter { $0.key == "description" }) { $1 }
            } else {
                return value
            }
        }
    }

    @Test func theDocumentHasAllLayersInOrder() throws {
        let references = try #require(named("Architecture")["oneOf"] as? [[String: Any]])
        let names = references.compactMap { (named($0["$ref"])["properties"] as? [String: [String: Any]])?["type"]?["const"] as? String }
        #expect(names == Self.records.map(\.name))
        #expect(Set(names).count == names.count)
    }

    @Test func theDocumentHasTheirFields() throws {
        for record in Self.records {
            let schema = try schema(of: record.name)
            let properties = try #require(schema["properties"] as? [String: Any])
            #expect(Set(properties.keys) == Set(record.fields.map(\.name) + ["type"]), "\(record.name)")
            #expect(Set(schema["required"] as? [String] ?? []) == Set(record.fields.filter(\.isRequired).map(\.name) + ["type"]), "\(record.name)")
            #expect(schema["description"] as? String == record.words, "\(record.name)")
            for field in record.fields { compare(field, property(properties[field.name]), "\(record.name).\(field.name)") }
        }
    }

    private func compare(_ field: FieldDescription, _ property: [String: Any], _ place: String) {
        #expect(!field.words.isEmpty, "\(place)")
        let words = property["description"] as? String
        if field.form.name != "layer", field.form.name != "array", field.form.name != "axis" {
            #expect(words == nil || words == field.words, "\(place)")
        }
        if let standard = property["default"] {
            switch field.standard {
            case .number(let number): #expect(standard as? Double == number, "\(place)")
            case .integer(let integer): #expect(standard as? Int == integer, "\(place)")
            case .boolean(let boolean): #expect(standard as? Bool == boolean, "\(place)")
            case .word(let word): #expect(standard as? String == word, "\(place)")
            case nil: Issue.record("\(place) has the default \(standard) in the document")
            }
        } else if case .word(let word)? = field.standard, field.form.name == "word" {
            #expect(words?.contains("\(word) if absent") == true, "\(place)")
        } else if case .number? = field.standard {
            Issue.record("\(place) has no default in the document")
        }
        switch field.form {
        case .word(let values): #expect((property["enum"] as? [Any])?.compactMap { $0 as? String } == values, "\(place)")
        case .integer(let range):
            #expect(property["minimum"] as? Int == range.lowerBound && property["maximum"] as? Int == range.upperBound, "\(place)")
        case .integers(let range):
            let items = property["items"] as? [String: Any]
            #expect(items?["minimum"] as? Int == range.lowerBound && items?["maximum"] as? Int == range.upperBound, "\(place)")
        default: break
        }
    }

    /// What a property may be, null among it.
    private func types(_ value: Any?) -> Set<String> {
        let value = value as? [String: Any] ?? [:]
        if let choices = (value["anyOf"] ?? value["oneOf"]) as? [Any] { return choices.reduce(into: []) { $0.formUnion(types($1)) } }
        if let reference = value["$ref"] { return types(named(reference)) }
        // A name, or else an object.
        if let word = value["if"] { return types(word).union(types(value["else"])) }
        return Set(value["type"] as? [String] ?? [value["type"] as? String].compactMap { $0 })
    }

    private func expectedTypes(_ form: FieldDescription.Form) -> Set<String> {
        switch form {
        case .number: ["number"]
        case .integer: ["integer"]
        case .boolean: ["boolean"]
        case .word, .text: ["string"]
        case .integers, .axes, .selections, .layers: ["array"]
        case .array: ["array", "object"]
        case .axis: ["string", "integer"]
        case .layer: ["object"]
        case .activation: ["string", "object"]
        }
    }

    /// In both kinds of architectures; null stands for what need not be given, and for nothing else. What there is a default for has it.
    @Test(arguments: ["Architecture", "NetworkArchitecture"]) func theDocumentHasTheirTypes(architecture: String) throws {
        let mapping = try #require((named(architecture)["discriminator"] as? [String: Any])?["mapping"] as? [String: Any])
        #expect(Set(mapping.keys) == Set(Self.records.map(\.name)))
        for record in Self.records {
            let schema = named(mapping[record.name])
            let properties = try #require(schema["properties"] as? [String: Any])
            #expect(Set(properties.keys) == Set(record.fields.map(\.name) + ["type"]), "\(architecture) \(record.name)")
            for field in record.fields {
                let place = "\(architecture) \(record.name).\(field.name)"
                // A list of numbers may be an array that is no tensor.
                let isList = field.form.name == "array" && field.isRequired
                let expected = isList ? ["array"] : expectedTypes(field.form).union(field.isRequired ? [] : ["null"])
                #expect(types(properties[field.name]) == expected, "\(place)")
                switch field.standard {
                case .integer, .boolean: #expect(property(properties[field.name])["default"] != nil, "\(place) has no default")
                default: break
                }
            }
        }
    }

    private static let required = [
        "layers": "[]", "branches": "[]", "layer": #"{"type":"dense"}"#, "count": "1", "depth": "1", "filter_shape": "[1]", "window_shape": "[1]",
        "keep_probability": "1", "groups": "1", "shape": "[1]",
        "method": #""linear""#, "idx": "[]", "a": "1", "b": "1", "degree": "1", "coefficients": "[1]",
        "expression": #""x""#, "lhs": "[1]",
    ]

    /// A record names the fields that are read, and no others: all of them are known, and one more is not.
    @Test func aRecordNamesWhatIsRead() throws {
        for record in Self.records {
            let fields = record.fields.map { field in
                let isGiven = field.isRequired || field.name == "lhs"
                return "\"\(field.name)\":\(isGiven ? Self.required[field.name] ?? "?" : "null")"
            }
            let type = "\"type\":\"\(record.name)\""
            _ = try ArchitectureWire.layer(JSONValue.parse(Array("{\(([type] + fields).joined(separator: ","))}".utf8)), at: "")
            #expect(throws: ProblemDetails.self) {
                try ArchitectureWire.layer(JSONValue.parse(Array("{\(([type] + fields + ["\"more\":1"]).joined(separator: ","))}".utf8)), at: "")
            }
        }
    }

    @Test func theListHasEverything() async throws {
        let client = ServiceClient()
        let answer = try await client.send(.get, "/v1/layers")
        #expect(answer.status == 200 && answer.fields[.eTag] != nil)
        let listed = try #require(JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: [[String: Any]]])["layers"] ?? []
        #expect(listed.compactMap { $0["type"] as? String } == Self.records.map(\.name))
        for (entry, record) in zip(listed, Self.records) {
            let fields = entry["fields"] as? [[String: Any]] ?? []
            #expect(fields.compactMap { $0["name"] as? String } == record.fields.map(\.name), "\(record.name)")
            for field in fields {
                #expect(field["type"] != nil && field["required"] != nil && field["default"] != nil && field["description"] != nil)
            }
        }
        let dense = try #require(listed.first { $0["type"] as? String == "dense" }?["fields"] as? [[String: Any]])
        let width = try #require(dense.first { $0["name"] as? String == "width" })
        #expect(width["minimum"] as? Int == 1 && width["maximum"] as? Int == 1 << 40 && width["default"] is NSNull)
    }
}
