package import HTTP1
package import HTTPTypes
internal import TensorFormats

/// An error answer by RFC 9457, `application/problem+json`.
package struct ProblemDetails: Error, Sendable, Equatable {
    /// One fault in the request, with a JSON pointer (RFC 6901) to it.
    package struct Fault: Sendable, Equatable {
        package var pointer: String
        package var detail: String
    }

    package var status: HTTPResponse.Status
    package var type: ProblemType
    package var title: String
    /// What was expected and what came.
    package var detail: String
    package var faults: [Fault] = []
    package var headerFields: HTTPFields = [:]
    /// What the request would have cost, where that is why it was refused.
    var estimate: Estimate?
    /// Bytes without which the request could not be validated; not for the client.
    var missingBytes = 0
    /// What is stored that they are for.
    var storedObject: StoredObject?
    /// Whether the data directory is why.
    var isOfStorage = false
    /// What went wrong here, where that is a fault of our own: for the log.
    var fault: String?

    package init(
        status: HTTPResponse.Status, type: ProblemType, title: String, detail: String, faults: [Fault] = [], headerFields: HTTPFields = [:]
    ) {
        self.init(status: status, type: type, title: title, detail: detail, faults: faults, headerFields: headerFields, estimate: nil)
    }

    init(
        status: HTTPResponse.Status, type: ProblemType, title: String, detail: String, faults: [Fault] = [], headerFields: HTTPFields = [:],
        estimate: Estimate?
    ) {
        self.status = status
        self.type = type
        self.title = title
        self.detail = detail
        self.faults = faults
        self.headerFields = headerFields
        self.estimate = estimate
    }

    /// As it is sent and stored.
    func json(requestID: String) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", type.reference)
        json.member("title", title)
        json.member("status", Int(status.code))
        json.member("detail", detail)
        json.member("request_id", requestID)
        if !faults.isEmpty {
            json.key("errors")
            json.beginArray()
            for fault in faults {
                json.beginObject()
                json.member("pointer", fault.pointer)
                json.member("detail", fault.detail)
                json.endObject()
            }
            json.endArray()
        }
        estimate?.write(to: &json)
        json.endObject()
        return json.bytes
    }

    package func response(requestID: String) -> ServerResponse {
        var fields = headerFields
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        fields[.requestID] = requestID
        var response = ServerResponse(status: status, headerFields: fields, body: .bytes(json(requestID: requestID)))
        response.fault = fault
        return response
    }
}
