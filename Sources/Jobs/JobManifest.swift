internal import TensorFormats

/// What is known of a job from the start, and never changes: `job.json`.
package struct JobManifest: Sendable, Equatable {
    private static let version = 1

    /// Milliseconds since 1970.
    package var createdAt: Int
    /// What is asked, such as `/v1/kernels`.
    package var target: String
    /// What kind of body it came with.
    package var contentType: String
    /// By which a repetition of the request is told from another one.
    package var fingerprint: String
    package var requestID: String

    package init(createdAt: Int, target: String, contentType: String, fingerprint: String, requestID: String) {
        self.createdAt = createdAt
        self.target = target
        self.contentType = contentType
        self.fingerprint = fingerprint
        self.requestID = requestID
    }

    var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("format", "ntk-server job")
        json.member("version", Self.version)
        json.member("created_at", createdAt)
        json.member("target", target)
        json.member("content_type", contentType)
        json.member("fingerprint", fingerprint)
        json.member("request_id", requestID)
        json.endObject()
        return json.bytes
    }

    init?(json: [UInt8]) {
        guard let record = JobRecord(json), record.integer("version") == Self.version, let createdAt = record.integer("created_at"),
            let target = record.text("target"), let contentType = record.text("content_type"), let fingerprint = record.text("fingerprint"),
            let requestID = record.text("request_id")
        else { return nil }
        self.init(createdAt: createdAt, target: target, contentType: contentType, fingerprint: fingerprint, requestID: requestID)
    }
}

/// A JSON object of a job's file.
struct JobRecord {
    private let object: JSONObject

    init?(_ json: [UInt8]) {
        guard let value = try? JSONValue.parse(json), case .object(let object) = value else { return nil }
        self.object = object
    }

    func integer(_ name: String) -> Int? { if case .number(let number)? = object[name] { number.integer } else { nil } }
    func number(_ name: String) -> Double? { if case .number(let number)? = object[name] { number.value } else { nil } }
    func text(_ name: String) -> String? { if case .string(let text)? = object[name] { text } else { nil } }
}
