internal import HTTP1
internal import TensorFormats

extension Operation {
    /// `GET /v1/layers`.
    static let layers = get("/v1/layers", audience: .everyone) { _, request in try LayerList.document.response(to: request.head) }
}

/// All layers with their fields, in words and ranges, as JSON.
enum LayerList {
    static let document: StaticDocument = {
        var json = JSONWriter()
        json.beginObject()
        json.key("layers")
        json.beginArray()
        for record in LayerRecords.all { write(record, to: &json) }
        for record in ActivationRecords.all { write(record, to: &json) }
        json.endArray()
        json.endObject()
        return StaticDocument(mediaType: "application/json", content: json.bytes)
    }()

    private static func write<Product>(_ record: LayerRecord<Product>, to json: inout JSONWriter) {
        json.beginObject()
        json.member("type", record.name)
        json.member("group", record.group.rawValue)
        json.member("description", record.words)
        json.key("fields")
        json.beginArray()
        for field in record.fields { field.write(to: &json) }
        json.endArray()
        json.endObject()
    }
}
