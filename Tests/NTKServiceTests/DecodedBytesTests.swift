import ComputeExecutor
import Foundation
import HTTP1
import HTTPTypes
import TensorFormats
import Testing

@testable import NTKService

struct DecodedBytesTests {
    private func bytes(_ body: [UInt8], _ type: String) -> Int {
        RequestBody.decodedBytes(
            ServerRequest(head: HTTPRequest(method: .post, scheme: "http", authority: "h", path: "/", headerFields: [.contentType: type]), body: body)
        )
    }

    /// Eight bytes a number are what is kept of it.
    @Test func numbersOfTextHaveRoom() throws {
        for digits in [1, 3, 18] {
            let numbers = Array(repeating: String(repeating: "7", count: digits), count: 1_000).joined(separator: ",")
            let body = Array("{\"x1\":[[\(numbers)]]}".utf8)
            let taken = bytes(body, "application/json")
            #expect(taken >= 8_000 && taken >= body.count && taken <= max(2 * body.count, 16_016), "\(digits): \(taken)")
        }
    }

    @Test(arguments: [("<f8", 1), ("<f4", 2), ("|u1", 8), (">f2", 4)])
    func numbersOfFilesHaveRoom(type: String, widening: Int) {
        // In whatever order the header says it.
        for header in [
            "{'descr': '\(type)', 'fortran_order': False, 'shape': (100,), }", "{'shape': (100,), 'fortran_order': False, 'descr': '\(type)'}",
        ] {
            let body = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + header.utf8 + [UInt8](repeating: 0, count: 800)
            let taken = bytes(body, "application/x-npy")
            #expect(taken == body.count * widening)
        }
    }

    @Test func membersOfArchivesHaveRoom() throws {
        var writer = NpzWriter()
        writer.append("meta.json", Array("{}".utf8))
        writer.append("a", Array(repeating: 1, count: 300))
        writer.finish()
        let archive = try writer.pieces.reduce(into: [UInt8]()) { $0 += try $1.make() }
        #expect(Npz.inflatedBytes(archive[...]) == 302)
        // Also where it stands within something else, and where it is cut.
        let within = [UInt8](repeating: 9, count: 77) + archive
        #expect(Npz.inflatedBytes(within[77...]) == 302)
        for length in 0..<archive.count { #expect(Npz.inflatedBytes(archive[..<length]) <= 302) }
        for place in archive.indices {
            var damaged = archive
            damaged[place] = 0xFF
            _ = Npz.inflatedBytes(damaged[...])
        }
    }
}
