internal import TensorFormats

/// What a request will cost, known before anything is computed.
struct Estimate: Sendable, Equatable {
    /// Floating-point operations, to within a small factor.
    var flops: Int
    /// Bytes of its matrices at the most.
    var peakBytes: Int
    /// At the speed of what was computed so far.
    var seconds: Double

    func write(to json: inout JSONWriter) {
        json.key("estimate")
        json.beginObject()
        json.member("flops", flops)
        json.member("peak_bytes", peakBytes)
        // A quotient of an integer and a bounded rate is finite.
        try? json.member("seconds", seconds)
        json.endObject()
    }
}
