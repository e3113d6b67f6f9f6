import HTTPTypes

/// How the end of a request's body is found (RFC 9112 §6.3).
package enum BodyFraming: Sendable, Equatable {
    case none
    /// Content-Length, above zero.
    case length(Int)
    case chunked

    /// - Parameters:
    ///   - contentLengths: The value of every Content-Length line.
    ///   - transferCodings: The value of every Transfer-Encoding line.
    init(contentLengths: [String], transferCodings: [String], version: HTTPVersion) throws(HTTPRejection) {
        if !transferCodings.isEmpty {
            guard version == .http11 else {
                throw .badRequest("Transfer-Encoding in an HTTP/1.0 request.", "RFC 9112 §6.1")
            }
            guard contentLengths.isEmpty else {
                throw .badRequest("Content-Length and Transfer-Encoding in one request.", "RFC 9112 §6.3")
            }
            try Self.checkCodings(transferCodings.flatMap(listMembers))
            self = .chunked
            return
        }
        guard let value = contentLengths.first else {
            self = .none
            return
        }
        guard contentLengths.count == 1 else {
            throw .badRequest("More than one Content-Length.", "RFC 9112 §6.3")
        }
        let length = try Self.contentLength(value)
        self = length == 0 ? .none : .length(length)
    }

    private static func checkCodings(_ codings: [String]) throws(HTTPRejection) {
        guard !codings.contains("") else {
            throw .badRequest("Transfer-Encoding holds an empty member.", "RFC 9112 §6.1")
        }
        guard codings.count(where: { $0 == "chunked" }) <= 1 else {
            throw .badRequest("The chunked coding must be applied once only.", "RFC 9112 §6.1")
        }
        if let place = codings.firstIndex(of: "chunked"), place != codings.count - 1 {
            throw .badRequest("The chunked coding must be the last.", "RFC 9112 §6.3")
        }
        guard codings == ["chunked"] else {
            throw .notImplemented("The only transfer coding that is understood is chunked.", "RFC 9112 §6.1")
        }
    }

    /// Digits only. `Int(_:)` also takes a sign.
    private static func contentLength(_ value: String) throws(HTTPRejection) -> Int {
        guard !value.utf8.isEmpty, value.utf8.allSatisfy(isDigit) else {
            throw .badRequest("Content-Length must be one number of decimal digits.", "RFC 9110 §8.6")
        }
        var length = 0
        for digit in value.utf8 {
            let (tenfold, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int(digit) - 0x30)
            guard !overflow, !carry else {
                throw .contentTooLarge("Content-Length is larger than any body that can be served.", "RFC 9110 §8.6")
            }
            length = sum
        }
        return length
    }
}
