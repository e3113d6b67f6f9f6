internal import HTTPTypes

/// Header fields that may come once: two of them would be read as one value that neither client nor proxy meant.
enum SingleFields {
    private static let names: [HTTPField.Name] = [
        .contentType, .range, .ifRange, .ifModifiedSince, .ifUnmodifiedSince, .requestID, Deadline.field, IdempotencyKey.field,
        InferRequest.headerLength, JobEventStream.lastEventID,
    ]

    /// - Throws: 400 if one came twice.
    static func check(_ head: HTTPRequest) throws(ProblemDetails) {
        let fields = head.headerFields
        for index in fields.indices {
            let name = fields[index].name
            // Most requests have each name once, which is soon seen.
            guard fields[..<index].contains(where: { $0.name == name }), names.contains(name) else { continue }
            throw .repeated("the field \(name.rawName)")
        }
    }
}
