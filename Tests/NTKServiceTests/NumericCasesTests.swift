import Foundation
import HTTPTypes
import TensorFormats
import Testing

/// Requests at every scale and in every order of layers, with answers worked out in 60 digits and more (`Golden/numeric_cases.json`).
///
/// `measure` says how an answer is compared: `scaled`: max |got − expected| / √(K_ii K_jj) of the same kernel, with `diagonals` of x1 and then
/// of x2; `absolute`, `relative`: of every number of a member, named by its path; `status`: the status alone, or only that an answer comes.
struct NumericCasesTests {
    /// Cases whose answers are not right yet.
    static let open: Set<String> = [
        "images of very different scale 1",
        "images of very different scale 2",
        "images of very different scale 3",
        "images 1",
        "images 2",
    ]

    struct Case: CustomTestStringConvertible, @unchecked Sendable {
        let name: String
        let fields: [String: Any]
        var testDescription: String { name }
    }

    static func cases(_ file: String = "numeric_cases") throws -> [Case] {
        let url = try #require(Bundle.module.url(forResource: "Golden/\(file)", withExtension: "json"))
        let root = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]])
        return try root.map { Case(name: try #require($0["name"] as? String), fields: $0) }
    }

    @Test func theFileIsThere() throws {
        let names = try Self.cases().map(\.name)
        #expect(names.count >= 46 && Set(names).count == names.count)
        #expect(Self.open.isSubset(of: names), "a case that is not in the file: \(Self.open.subtracting(names))")
    }

    @Test(.timeLimit(.minutes(2)), arguments: try cases())
    func answersAreRight(_ golden: Case) async throws {
        if Self.open.contains(golden.name) {
            await withKnownIssue(isIntermittent: true) { try await Self.check(golden) }
        } else {
            try await Self.check(golden)
        }
    }

    static func check(_ golden: Case) async throws {
        let path = try #require(golden.fields["path"] as? String)
        let expected = try #require(golden.fields["expected"] as? [String: Any])
        let tolerance = try #require(golden.fields["tolerance"] as? Double)
        let body = try JSONSerialization.data(withJSONObject: #require(golden.fields["body"]))
        let answer = try await ServiceClient().send(.post, path, [.contentType: "application/json"], body: Array(body))
        if let status = expected["status"] as? Int {
            #expect(answer.status == status, "\(answer.text)")
            return
        }
        if expected["answers_within_seconds"] != nil { return }
        #expect(answer.status == 200, "\(answer.text)")
        let got = try #require(JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
        let diagonals = golden.fields["diagonals"] as? [String: [Double]]
        for (member, value) in expected {
            let found = member.split(separator: ".").reduce(got as Any?) { ($0 as? [String: Any])?[String($1)] }
            let (computed, right) = try (numbers(found), numbers(value))
            try #require(computed.count == right.count, "\(member): \(answer.text)")
            let error: Double
            switch golden.fields["measure"] as? String {
            case "scaled":
                let own = try #require(diagonals?[member])
                let columns = try #require((value as? [[Double]])?.first?.count)
                let isSquare = own.count * own.count == right.count
                error = right.indices.reduce(0) { worst, place in
                    let (i, j) = (place / columns, place % columns + (isSquare ? 0 : own.count - columns))
                    return max(worst, abs(computed[place] - right[place]) / (own[i].squareRoot() * own[j].squareRoot()))
                }
            case "relative": error = zip(computed, right).reduce(0) { max($0, abs($1.0 - $1.1) / abs($1.1)) }
            case "absolute": error = zip(computed, right).reduce(0) { max($0, abs($1.0 - $1.1)) }
            default:
                Issue.record("a measure expected")
                return
            }
            #expect(error <= tolerance, "\(member): \(computed) for \(right)")
        }
    }

    /// All numbers of nested arrays, in order.
    private static func numbers(_ value: Any?) throws -> [Double] {
        if let number = value as? Double { return [number] }
        return try #require(value as? [Any]).flatMap { try numbers($0) }
    }
}
