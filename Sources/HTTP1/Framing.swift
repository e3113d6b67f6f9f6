import HTTPTypes

/// How the end of a body is found (RFC 9112 §6.3).
enum Framing: Equatable {
    case none
    case length(Int)
    case chunked
}

/// The fields of a request that decide its framing and its connection, gathered while the section is read.
struct FramingFields {
    var contentLength: Int?
    var transferEncoding: [UInt8]?
    var hosts = 0
    var closes = false
    var keepsAlive = false
    var expectsContinue = false

    /// A Content-Length, digits only, once only. Lists of equal values could be merged (RFC 9110 §8.6); they are refused, as nobody
    /// needs them but to smuggle.
    mutating func addContentLength(_ value: ArraySlice<UInt8>) throws(HTTPRejection) {
        guard contentLength == nil else { throw .bad("Content-Length came twice", "RFC 9112 §6.3") }
        guard !value.isEmpty, value.allSatisfy(Octet.isDigit) else {
            throw .bad("Content-Length must be decimal digits only", "RFC 9110 §8.6")
        }
        var length = 0
        for digit in value {
            let (product, overflowed) = length.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int(digit & 0x0F))
            guard !overflowed, !carried else { throw .init(status: .contentTooLarge, detail: "Content-Length is beyond any body", rule: "RFC 9110 §8.6") }
            length = sum
        }
        contentLength = length
    }

    mutating func addTransferEncoding(_ value: ArraySlice<UInt8>) throws(HTTPRejection) {
        guard transferEncoding == nil else { throw .bad("Transfer-Encoding came twice", "RFC 9112 §6.1") }
        transferEncoding = Array(value)
    }

    mutating func addConnection(_ value: ArraySlice<UInt8>) {
        for option in value.split(separator: Octet.comma) {
            let option = option.trimmed
            if option.equalsIgnoringCase("close") { closes = true }
            if option.equalsIgnoringCase("keep-alive") { keepsAlive = true }
        }
    }

    mutating func addExpect(_ value: ArraySlice<UInt8>, version: HTTPVersion) throws(HTTPRejection) {
        // RFC 9110 §10.1.1: a 1.0 client cannot mean it.
        guard version == .http11 else { return }
        guard value.equalsIgnoringCase("100-continue") else {
            throw .init(status: .expectationFailed, detail: "only the expectation 100-continue can be met", rule: "RFC 9110 §10.1.1")
        }
        expectsContinue = true
    }

    /// The framing that the gathered fields ask for.
    func framing(version: HTTPVersion) throws(HTTPRejection) -> Framing {
        guard let transferEncoding else {
            return contentLength.map { $0 == 0 ? .none : .length($0) } ?? .none
        }
        // A message that says both is an attempt to smuggle (RFC 9112 §6.1); so is a 1.0 client that knows a transfer coding.
        guard contentLength == nil else { throw .bad("Transfer-Encoding and Content-Length exclude each other", "RFC 9112 §6.1") }
        guard version == .http11 else { throw .bad("HTTP/1.0 knows no Transfer-Encoding", "RFC 9112 §6.1") }
        guard transferEncoding.equalsIgnoringCase("chunked") else {
            throw .init(status: .notImplemented, detail: "the only transfer coding here is chunked, once and last", rule: "RFC 9112 §6.1")
        }
        return .chunked
    }
}

extension HTTPRejection {
    static func bad(_ detail: String, _ rule: String) -> HTTPRejection { HTTPRejection(status: .badRequest, detail: detail, rule: rule) }
}

extension ArraySlice<UInt8> {
    /// Without optional whitespace (space and tab, nothing else) at both ends.
    var trimmed: ArraySlice<UInt8> {
        var slice = self
        while let first = slice.first, first == Octet.space || first == Octet.tab { slice.removeFirst() }
        while let last = slice.last, last == Octet.space || last == Octet.tab { slice.removeLast() }
        return slice
    }
}
