import ComputeExecutor
import Foundation
import HTTP1
import HTTPTypes
import NTKService
import TensorFormats

/// The service without a socket.
struct ServiceClient {
    let service: NTKService
    let networks: NetworkStore

    init(limits: NTKService.Limits = NTKService.Limits(), networks: NetworkStore = NetworkStore()) {
        self.networks = networks
        service = NTKService(executor: ComputeExecutor(width: 2), limits: limits, networks: networks)
    }

    init(service: NTKService) {
        self.service = service
        networks = NetworkStore()
    }

    struct Answer {
        var status: Int
        var fields: HTTPFields
        var body: [UInt8]
        /// What a stream promises.
        var length: Int?

        var text: String { String(decoding: body, as: UTF8.self) }

        var object: JSONObject {
            get throws {
                guard case .object(let object) = try JSONValue.parse(body) else { throw JSONError(.shape, at: "", "an object expected") }
                return object
            }
        }

        /// A member that is an array, its elements counted from 0.
        func array(_ name: String) throws -> (shape: [Int], elements: [Double]) {
            let array = try (object[name] ?? .null).numericArray(at: "/\(name)")
            return (array.shape, Array(array.elements))
        }

        /// The pointers of a problem's faults.
        var pointers: [String] {
            get throws {
                guard case .array(let errors) = try object["errors"] ?? .null else { return [] }
                return errors.compactMap { fault in
                    guard case .object(let fault) = fault, case .string(let pointer) = fault["pointer"] else { return nil }
                    return pointer
                }
            }
        }
    }

    func send(_ method: HTTPRequest.Method, _ path: String, _ fields: HTTPFields = [:], body: [UInt8] = []) async throws -> Answer {
        let head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
        var response: ServerResponse
        var request = ServerRequest(head: head)
        switch service.admit(&request) {
        case .answer(let answer): response = answer
        case .accept:
            request.body = body
            response = await service.respond(to: request)
        }
        var answer = Answer(status: response.status.code, fields: response.headerFields, body: [])
        switch response.body {
        case .bytes(let bytes): answer.body = bytes
        case .stream(let length, let next):
            answer.length = length
            while let piece = try await next() { answer.body += piece }
        case .pieces(let length, let next):
            answer.length = length
            while let piece = try next() { answer.body += piece }
        }
        return answer
    }

    func post(_ path: String, _ json: String) async throws -> Answer {
        try await send(.post, path, [.contentType: "application/json"], body: Array(json.utf8))
    }
}

/// A zip archive of stored members.
struct StoredArchive {
    let bytes: [UInt8]

    init(_ members: [(name: String, content: [UInt8])]) {
        func little(_ number: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        var (file, directory): ([UInt8], [UInt8]) = ([], [])
        for (name, content) in members {
            let common =
                little(20, 2) + little(0, 8) + little(Self.checksum(content), 4) + little(content.count, 4) + little(content.count, 4)
                + little(name.utf8.count, 2) + little(0, 2)
            directory += little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 10) + little(file.count, 4) + Array(name.utf8)
            file += little(0x0403_4B50, 4) + common + Array(name.utf8) + content
        }
        bytes =
            file + directory + little(0x0605_4B50, 4) + little(0, 4) + little(members.count, 2) + little(members.count, 2)
            + little(directory.count, 4) + little(file.count, 4) + little(0, 2)
    }

    /// CRC-32, bit by bit.
    private static func checksum(_ content: [UInt8]) -> Int {
        var state = UInt32.max
        for byte in content {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 1 ? (state >> 1) ^ 0xEDB8_8320 : state >> 1 }
        }
        return Int(~state)
    }
}
