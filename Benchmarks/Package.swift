// swift-tools-version: 6.2
import PackageDescription

/// Programs that time parts of the server. The server's own targets come in by links: what they declare is for one package only.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0")
    ],
    targets: [
        .target(name: "HTTP1", dependencies: [httpTypes], swiftSettings: settings),
        .target(name: "DispatchExecutor", swiftSettings: settings),
        .target(name: "HTTPServer", dependencies: ["HTTP1", "DispatchExecutor", httpTypes], swiftSettings: settings),
        .executableTarget(name: "http-livez", dependencies: ["HTTPServer", "HTTP1", httpTypes], swiftSettings: settings),
    ]
)
