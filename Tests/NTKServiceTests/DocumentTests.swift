import Foundation
import HTTP1
import HTTPTypes
import NTKService
import Testing

/// The pages and the description of the interface, without a browser: Tests/Page looks at them with one.
struct DocumentTests {
    let client = ServiceClient()

    static let documents = [
        ("/", "text/html; charset=utf-8"), ("/docs", "text/html; charset=utf-8"), ("/page/main.js", "text/javascript; charset=utf-8"),
        ("/page/base.css", "text/css; charset=utf-8"), ("/page/icon.svg", "image/svg+xml"), ("/openapi.yaml", "application/yaml"),
        ("/openapi.json", "application/json"),
    ]

    @Test(arguments: documents)
    func aDocumentIsTypedAndValidated(path: String, type: String) async throws {
        let answer = try await client.send(.get, path)
        #expect(answer.status == 200 && answer.fields[.contentType] == type && !answer.body.isEmpty)
        #expect(answer.fields[.cacheControl] == "no-cache" && answer.fields[.xContentTypeOptions] == "nosniff")
        let tag = try #require(answer.fields[.eTag])
        for listed in [tag, "W/\(tag)", "\"other\", \(tag)", "*", tag.dropLast() + "-gzip\""] {
            let again = try await client.send(.get, path, [.ifNoneMatch: listed])
            #expect(again.status == 304 && again.body.isEmpty && again.fields[.eTag] == tag, "\(listed)")
        }
        for listed in ["\"other\"", "", "\(tag.dropLast())", "W/\"*\""] {
            #expect(try await client.send(.get, path, [.ifNoneMatch: listed]).status == 200, "\(listed)")
        }
        #expect(try await client.send(.head, path).fields[.eTag] == tag)
    }

    @Test(arguments: ["/", "/docs"])
    func aPageMayOnlyUseItsServer(path: String) async throws {
        let answer = try await client.send(.get, path)
        let policy = try #require(answer.fields[.contentSecurityPolicy])
        #expect(policy.hasPrefix("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"))
        // Nothing that the policy would refuse.
        for word in ["<style", " style=", " onclick=", "<script>"] { #expect(!answer.text.contains(word)) }
    }

    @Test func aPageNamesOnlyFilesThatAreThere() async throws {
        var waiting = ["/", "/docs"]
        var seen: Set<String> = []
        while let path = waiting.popLast() {
            guard seen.insert(path).inserted else { continue }
            let answer = try await client.send(.get, path)
            #expect(answer.status == 200, "\(path)")
            let named = answer.text.matches(of: #/(?:from "\.|(?:src|href)="/page)(/[^"#]+)"/#).map { "/page" + $0.output.1 }
            waiting += named
        }
        #expect(seen.count > 20)
    }

    @Test(arguments: ["/page/none.js", "/page/index", "/page/..%2f..%2fetc%2fpasswd"])
    func otherFilesAreNotThere(path: String) async throws {
        #expect(try await client.send(.get, path).status == 404)
    }

    @Test func whatABrowserAcceptsIsServed() async throws {
        let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        #expect(try await client.send(.get, "/", [.accept: accept]).status == 200)
        #expect(try await client.send(.get, "/page/base.css", [.accept: "text/css,*/*;q=0.1"]).status == 200)
        #expect(try await client.send(.get, "/", [.accept: "application/json"]).status == 406)
        #expect(try await client.send(.post, "/", [.contentType: "application/json"]).status == 405)
    }
}
