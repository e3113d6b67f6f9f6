import ArgumentParser
import ContentCoding

/// Options of gzip.
struct ContentCodingOptions: ParsableArguments {
    private static let gzipSetting = Setting(variable: "NTK_GZIP", standard: true)
    private static let ratioSetting = Setting(variable: "NTK_MAX_GZIP_RATIO", standard: ContentCodingConfiguration().maximumRatio)

    @Option(help: gzipSetting.help("Take requests in gzip, and answer in gzip whom asks for it: true or false."))
    var gzip: Bool?

    @Option(help: ratioSetting.help("Most bytes of a request's content for one byte of gzip; more is 413."))
    var maxGzipRatio: Int?

    /// - Parameter maximumBodyBytes: the limit that holds for inflated bodies too.
    func configuration(maximumBodyBytes: Int) throws -> ContentCodingConfiguration {
        var configuration = ContentCodingConfiguration()
        configuration.isEnabled = try Self.gzipSetting.resolve(gzip)
        configuration.maximumRatio = try Self.ratioSetting.resolve(maxGzipRatio)
        guard configuration.maximumRatio > 0 else { throw ValidationError("--max-gzip-ratio must be at least 1.") }
        configuration.maximumInflatedOctets = maximumBodyBytes
        return configuration
    }
}
