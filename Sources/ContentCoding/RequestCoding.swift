internal import HTTP1
internal import HTTPTypes

/// The content coding of a request (RFC 9110 §8.4).
enum RequestCoding: Equatable {
    case identity
    case gzip
    case deflate
    /// One that is not undone here, or several.
    case other(String)

    init(_ head: HTTPRequest) {
        guard let field = head.headerFields.value(.contentEncoding) else {
            self = .identity
            return
        }
        let codings = field.utf8.split(separator: UInt8(ascii: ",")).map { $0.trimmed }.filter { !$0.isEmpty && $0 != "identity" }
        switch codings {
        case []: self = .identity
        case ["gzip"], ["x-gzip"]: self = .gzip
        case ["deflate"]: self = .deflate
        default: self = .other(field)
        }
    }
}
