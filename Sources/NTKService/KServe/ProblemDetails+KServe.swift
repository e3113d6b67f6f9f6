package import HTTP1
package import HTTPTypes
internal import TensorFormats

extension ProblemDetails {
    /// An inference that is not as the protocol has it.
    static func badInference(_ detail: String) -> ProblemDetails {
        ProblemDetails(status: .badRequest, type: .invalidInference, title: "The inference request is not one", detail: detail)
    }

    /// The answer in the form of the interface that was asked: `{"error": …}` below `/v2`, problem details everywhere else.
    package func response(requestID: String, to head: HTTPRequest?) -> ServerResponse {
        var response = response(requestID: requestID)
        guard let path = head?.path, path == "/v2" || path.hasPrefix("/v2/") || path.hasPrefix("/v2?") else { return response }
        var json = JSONWriter()
        json.beginObject()
        json.member("error", detail)
        json.endObject()
        response.headerFields[.contentType] = "application/json"
        response.body = .bytes(json.bytes)
        return response
    }
}
