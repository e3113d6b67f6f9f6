internal import TensorFormats

/// What is known of a job from the start, and never changes: `job.json`.
package struct JobManifest: Sendable, Equatable {
    /// The first had no checksum.
    private static let version = 2
    /// Milliseconds up to the end of the year 9999: no time of ours is later.
    static let latest = 253_402_300_799_999

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

    /// In place of one that cannot be read.
    package static let unknown = JobManifest(createdAt: 0, target: "", contentType: "", fingerprint: "", requestID: "")

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
        return CheckedRecord.sealed(json.bytes)
    }

    /// Nil for what is damaged.
    init?(json: [UInt8]) {
        guard let record = JobRecord(json), let version = record.integer("version"),
            version == 1 || (version == Self.version && CheckedRecord.isWhole(json) == true),
            let createdAt = record.integer("created_at"), (0...Self.latest).contains(createdAt),
            let target = record.text("target"), let contentType = record.text("content_type"), let fingerprint = record.text("fingerprint"),
            let requestID = record.text("request_id")
        else { return nil }
        self.init(createdAt: createdAt, target: target, contentType: contentType, fingerprint: fingerprint, requestID: requestID)
    }
}

/// A JSON object of a job's file, which is read like what a client sends.
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
