internal import Glibc
internal import HTTP1
internal import HTTPTypes

/// The conditions of a request on a resource with a strong entity tag, evaluated in the order of RFC 9110 §13.2.2.
struct Preconditions {
    /// Of what is there now.
    let tag: EntityTag
    /// Seconds since 1970; nil where nobody knows: then conditions on dates are ignored (§13.1.3, §13.1.4).
    let lastModified: Int?

    init(_ tag: EntityTag, lastModified: Int? = nil) {
        self.tag = tag
        self.lastModified = lastModified
    }

    /// Whether 304 is the answer.
    /// - Throws: 412.
    func isNotModified(_ head: HTTPRequest) throws(ProblemDetails) -> Bool {
        let fields = head.headerFields
        if let listed = fields.value(.ifMatch) {
            guard tag.isListed(in: listed, isStrong: true) else { throw failed("If-Match", listed) }
        } else if let date = fields.value(.ifUnmodifiedSince), let since = Self.seconds(date), let lastModified {
            guard lastModified <= since else { throw failed("If-Unmodified-Since", date) }
        }
        let isReading = head.method == .get || head.method == .head
        if let listed = fields.value(.ifNoneMatch) {
            guard tag.isListed(in: listed, isStrong: false) else { return false }
            if isReading { return true }
            throw failed("If-None-Match", listed)
        }
        guard isReading, let date = fields.value(.ifModifiedSince), let since = Self.seconds(date), let lastModified else { return false }
        return lastModified <= since
    }

    /// Whether a `Range` counts (§13.1.5): without `If-Range`, or where that names what is there now, by a strong comparison.
    func allowsRange(_ head: HTTPRequest) -> Bool {
        guard let condition = head.headerFields.value(.ifRange) else { return true }
        if let since = Self.seconds(condition) { return since == lastModified }
        return tag.isNamed(by: condition)
    }

    /// The fields that tell a client what to ask with.
    var headerFields: HTTPFields {
        var fields: HTTPFields = [.eTag: tag.value]
        if let lastModified { fields[.lastModified] = String(decoding: IMFFixdate.format(secondsSince1970: lastModified), as: UTF8.self) }
        return fields
    }

    private static func seconds(_ date: String) -> Int? { HTTPDate.secondsSince1970(date, now: time(nil)) }

    private func failed(_ field: String, _ came: String) -> ProblemDetails {
        ProblemDetails(
            status: .preconditionFailed, type: .preconditionFailed, title: "What is there is not what the request is about",
            detail: "\(field): a condition that holds of \(tag.value) expected; \(came.prefix(80)) came")
    }
}
