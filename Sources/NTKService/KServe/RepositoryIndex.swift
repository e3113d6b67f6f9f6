internal import ArtifactStore
internal import TensorFormats

/// Triton's model repository index: all regressors, each of which is ready.
enum RepositoryIndex {
    /// `{"ready": true}` wants those that are ready, which all are; nothing at all, or `{}`, wants all.
    static func check(_ body: [UInt8]) throws {
        guard !body.isEmpty else { return }
        var reader = try ObjectReader(JSONValue.parse(body), at: "")
        _ = try reader.bool("ready", default: false)
        try reader.finish()
    }

    static func json(_ ids: [ArtifactID]) -> [UInt8] {
        var json = JSONWriter()
        json.beginArray()
        for id in ids {
            json.beginObject()
            json.member("name", id.description)
            json.member("version", KServe.version)
            json.member("state", "READY")
            json.member("reason", "")
            json.endObject()
        }
        json.endArray()
        return json.bytes
    }
}
