import ArtifactStore
import Foundation
import Testing

struct ArtifactStoreTests {
    /// A store in a directory of its own, which goes when the test ends.
    final class Scratch {
        let path = NSTemporaryDirectory() + "artifact-store-tests-" + UUID().uuidString
        let store: ArtifactStore

        init() throws { store = try ArtifactStore(directory: path) }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    func id(_ content: String) -> ArtifactID {
        var hash = ContentHash()
        hash.update(content)
        return hash.finish()
    }

    func file(_ name: String, _ text: String) -> ArtifactFile { ArtifactFile(name) { try $0.write(Array(text.utf8)) } }

    @Test func whatIsWrittenIsReadAlsoByAnotherStore() throws {
        let scratch = try Scratch()
        #expect(try scratch.store.write(id("a"), [file("one", "1"), file("two", "22")]))
        #expect(try !scratch.store.write(id("a"), [file("one", "other")]))
        let other = try ArtifactStore(directory: scratch.path)
        #expect(try other.read(id("a"), "one") == Array("1".utf8) && other.read(id("a"), "two") == Array("22".utf8))
        #expect(try other.read(id("b"), "one") == nil)
        #expect(throws: ArtifactStoreError.self) { try other.read(id("a"), "three") }
    }

    @Test func deletedIsGone() throws {
        let scratch = try Scratch()
        try scratch.store.write(id("a"), [file("one", "1")])
        #expect(try scratch.store.delete(id("a")) && !scratch.store.delete(id("a")))
        #expect(try !scratch.store.contains(id("a")) && scratch.store.read(id("a"), "one") == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    }

    @Test func listsInPages() throws {
        let scratch = try Scratch()
        let ids = (0..<7).map { id("\($0)") }.sorted()
        for id in ids { try scratch.store.write(id, [file("one", "1")]) }
        var seen: [ArtifactID] = []
        while true {
            let page = try scratch.store.list(after: seen.last, limit: 3)
            seen += page.ids
            guard page.hasMore else { break }
        }
        #expect(seen == ids)
    }

    @Test func whatFailsHalfWayLeavesNothing() throws {
        struct Interrupted: Error {}
        let scratch = try Scratch()
        #expect(throws: Interrupted.self) {
            try scratch.store.write(id("a"), [file("one", "1"), ArtifactFile("two") { _ in throw Interrupted() }])
        }
        #expect(try !scratch.store.contains(id("a")))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    }

    @Test func theLeftoversOfTheDeadAreRemovedAndNeverListed() throws {
        let scratch = try Scratch()
        let old = scratch.path + "/.writing-1"
        try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: false)
        try FileManager.default.createDirectory(atPath: scratch.path + "/.writing-2", withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: old)
        let store = try ArtifactStore(directory: scratch.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == [".writing-2"])
        #expect(try store.list(limit: 10).ids.isEmpty)
    }

    @Test func idsAreSHA256OfPiecesWithTheirLengths() {
        // printf '\x03\0\0\0\0\0\0\0abc' | sha256sum
        #expect(id("abc").description == "ce91dc5eec0139adf091900d225971d6ad246a845bad791b5693a9d0d55dd391")
        var one = ContentHash()
        one.update("ab")
        one.update("c")
        #expect(one.finish() != id("abc"))
        #expect(ArtifactID("../" + String(repeating: "a", count: 61)) == nil && ArtifactID(String(repeating: "A", count: 64)) == nil)
    }
}
