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
        switch service.admit(head, from: "127.0.0.1") {
        case .answer(let answer): response = answer
        case .accept: response = await service.respond(to: ServerRequest(head: head, body: body))
        }
        var content: [UInt8] = []
        switch response.body {
        case .bytes(let bytes): content = bytes
        case .stream(_, let next): while let piece = try await next() { content += piece }
        }
        return Answer(status: response.status.code, fields: response.headerFields, body: content)
    }

    func post(_ path: String, _ json: String) async throws -> Answer {
        try await send(.post, path, [.contentType: "application/json"], body: Array(json.utf8))
    }
}
