internal import ComputeExecutor
internal import HTTPTypes

/// Something of the data directory that has to be read.
struct StoredObject: Sendable, Equatable {
    /// Its kind and its id.
    var name: String
    /// Bytes that it takes once it is read.
    var bytes: Int
}

extension ProblemDetails {
    /// It can never be read here: no fault of the request's body, and nothing that another attempt would change.
    /// - Parameters:
    ///   - more: bytes that the request takes beside it.
    ///   - largest: bytes that there are.
    static func tooLargeToRead(_ object: StoredObject, beside more: Int, largest: Int) -> ProblemDetails {
        ProblemDetails(
            status: .unprocessableContent, type: .storedObjectTooLarge, title: "What is stored is larger than the memory of this server",
            detail: "\(object.name) takes about \(object.bytes) bytes once it is read\(more > 0 ? ", and the request \(more) beside it" : ""); "
                + "there are \(largest) for all requests: start the server with a larger --memory-budget")
    }
}

extension NTKService {
    /// Reads from the data directory, with memory for it where it asks for some.
    func readStored<Value: Sendable>(_ read: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await executor.run { _ in try read() }
        } catch let problem as ProblemDetails where problem.missingBytes > 0 {
            return try await self.read(LargeBody(count: 0, demand: { _ in 0 }, read: { _, _ in try read() }), for: nil).value
        }
    }
}
