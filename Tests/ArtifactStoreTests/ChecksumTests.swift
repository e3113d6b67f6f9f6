import Foundation
import Testing

@testable import ArtifactStore

/// What is read is what was written, or it is damaged.
struct ChecksumTests {
    private final class Scratch {
        let path = NSTemporaryDirectory() + "checksum-tests-" + UUID().uuidString
        let store: ArtifactStore
        let id: ArtifactID
        let content: [UInt8]

        init(bytes: Int) throws {
            store = try ArtifactStore(directory: path)
            var hash = ContentHash()
            hash.update("a")
            id = hash.finish()
            let content = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
            self.content = content
            // In pieces that do not end with blocks.
            try store.write(
                id,
                [
                    ArtifactFile("numbers") { file in
                        for start in stride(from: 0, to: content.count, by: 5_000) {
                            try file.write(Array(content[start..<min(start + 5_000, content.count)]))
                        }
                    }, ArtifactFile("text") { try $0.write(Array("text".utf8)) },
                ])
        }

        func url(_ file: String) -> URL { URL(filePath: "\(path)/\(id)/\(file)") }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test(arguments: [0, 1, 16_383, 16_384, 16_385, 100_000]) func anyRangeIsReadAndChecked(bytes: Int) throws {
        let scratch = try Scratch(bytes: bytes)
        let file = try #require(try scratch.store.reader(scratch.id, "numbers"))
        #expect(file.isChecked && file.count == bytes)
        let places = [0, 1, 100, 16_384, 16_385, 40_000, 49_152, 65_536, 99_999, 100_000].filter { $0 <= bytes } + [bytes]
        for start in places {
            for end in places where start <= end { #expect(try file.read(start..<end) == Array(scratch.content[start..<end])) }
        }
        try file.check()
    }

    @Test func aFlippedBitIsSeenWhereItIsRead() throws {
        let scratch = try Scratch(bytes: 50_000)
        for place in [0, 16_383, 16_384, 20_000, 49_999] {
            for bit in [0, 7] {
                var bytes = scratch.content
                bytes[place] ^= 1 << bit
                try Data(bytes).write(to: scratch.url("numbers"))
                let file = try #require(try scratch.store.reader(scratch.id, "numbers"))
                #expect(throws: ArtifactStoreError.damaged(path: scratch.url("numbers").path)) { try file.read(place..<place + 1) }
                #expect(throws: ArtifactStoreError.self) { try scratch.store.check(scratch.id) }
                // What stands in other blocks is good.
                let other = place < 16_384 ? 30_000 : 5
                #expect(try file.read(other..<other + 10) == Array(scratch.content[other..<other + 10]))
            }
        }
        try Data(scratch.content).write(to: scratch.url("numbers"))
        try scratch.store.check(scratch.id)
    }

    /// Also where the checksums themselves are damaged, or a file is longer, shorter or missing.
    @Test func whateverIsChangedIsSeen() throws {
        let scratch = try Scratch(bytes: 20_000)
        for name in ["numbers", "text", "checksums"] {
            let whole = try Data(contentsOf: scratch.url(name))
            var variants = [Data(), whole.dropLast(), whole + [0], Data(repeating: 0, count: whole.count)]
            for place in stride(from: 0, to: whole.count, by: max(1, whole.count / 97)) {
                var flipped = whole
                flipped[place] ^= 0x10
                variants.append(flipped)
            }
            for variant in variants {
                try variant.write(to: scratch.url(name))
                #expect(throws: ArtifactStoreError.self, "\(name) of \(variant.count) bytes") { try scratch.store.check(scratch.id) }
            }
            try whole.write(to: scratch.url(name))
            try scratch.store.check(scratch.id)
        }
        try FileManager.default.removeItem(at: scratch.url("text"))
        #expect(throws: ArtifactStoreError.self) { try scratch.store.check(scratch.id) }
    }

    @Test func withoutChecksumsItIsReadAsItStands() throws {
        let scratch = try Scratch(bytes: 100)
        try FileManager.default.removeItem(at: scratch.url("checksums"))
        let file = try #require(try scratch.store.reader(scratch.id, "numbers"))
        #expect(try !file.isChecked && file.read(0..<100) == scratch.content)
    }

    /// A directory that was removed is made anew; what is above it is not, and nothing is said of what it held.
    @Test func aDirectoryThatVanishes() throws {
        let scratch = try Scratch(bytes: 100)
        try FileManager.default.removeItem(atPath: scratch.path)
        #expect(throws: ArtifactStoreError.system(call: "access", path: scratch.path, code: ENOENT)) { try scratch.store.contains(scratch.id) }
        #expect(throws: ArtifactStoreError.self) { try scratch.store.list(limit: 10) }
        let directory = try ArtifactDirectory(path: scratch.path + "/above/own")
        #expect(try directory.create("one", []))
        try FileManager.default.removeItem(atPath: scratch.path + "/above/own")
        #expect(try directory.create("two", []) && directory.contains("two") && !directory.contains("one"))
        try FileManager.default.removeItem(atPath: scratch.path + "/above")
        #expect(throws: ArtifactStoreError.self) { try directory.create("three", []) }
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/above"))
    }
}
