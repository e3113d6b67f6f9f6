internal import Glibc
internal import HTTP1
internal import HTTPTypes
internal import TensorFormats

/// The conditions of a request on a resource with a strong entity tag, evaluated in the order of RFC 9110 §13.2.2.
struct Preconditions {
    /// Of what is there now.
    let tag: EntityTag
    /// Seconds since 1970; nil if unknown: then conditions on dates are ignored (§13.1.3, §13.1.4).
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

    /// The conditions on something that is there and has no tag: it matches "*" alone (§13.1.1, §13.1.2).
    /// - Throws: 412.
    static func checkUntagged(_ head: HTTPRequest) throws(ProblemDetails) {
        for (name, field, holds) in [("If-Match", HTTPField.Name.ifMatch, true), ("If-None-Match", HTTPField.Name.ifNoneMatch, false)] {
            guard let listed = head.headerFields.value(field), (listed[...].trimming.isSame(as: "*")) != holds else { continue }
            throw failed(name, "this, which has no tag,", listed)
        }
    }

    private static func seconds(_ date: String) -> Int? { HTTPDate.secondsSince1970(date, now: time(nil)) }

    private func failed(_ field: String, _ came: String) -> ProblemDetails { Self.failed(field, tag.value, came) }

    private static func failed(_ field: String, _ what: String, _ came: String) -> ProblemDetails {
        ProblemDetails(
            status: .preconditionFailed, type: .preconditionFailed, title: "What is there is not what the request is about",
            detail: "\(field): a condition that holds of \(what) expected; \(came.prefix(80)) came")
    }
}
