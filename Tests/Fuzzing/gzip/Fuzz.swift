import ContentCoding
import HTTP1

/// Any bytes inflate to the same content in whatever steps, within the limits, or are refused for the same reason. What is coded comes back.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    var configuration = ContentCodingConfiguration()
    configuration.maximumInflatedOctets = 100_000
    configuration.octetsWithoutRatio = 1_000
    let whole = outcome(bytes, configuration, step: .max / 2)
    precondition(whole == outcome(bytes, configuration, step: 1), "the steps matter")
    if case .success(let content) = whole {
        precondition(content.count <= max(1_000, min(100_000, bytes.count * configuration.maximumRatio)))
    }
    configuration.maximumRatio = 10_000
    guard let writer = GzipWriter(level: 1) else { return 0 }
    let middle = size / 2
    let coded = writer.write(bytes[..<middle], isLast: false) + writer.write(bytes[middle...], isLast: true)
    precondition(outcome(coded, configuration, step: 1_000) == .success(bytes), "what was coded does not come back")
    return 0
}

private func outcome(_ bytes: [UInt8], _ configuration: ContentCodingConfiguration, step: Int) -> Result<[UInt8], HTTPRejection> {
    guard let reader = GzipReader(bytes, configuration) else { fatalError("no memory") }
    do throws(HTTPRejection) {
        while try !reader.advance(by: step) {}
        return .success(reader.content)
    } catch {
        return .failure(error)
    }
}
