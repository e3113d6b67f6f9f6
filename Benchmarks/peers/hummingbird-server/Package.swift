// swift-tools-version: 6.1
import PackageDescription

/// A bare Hummingbird server, to be timed beside this one in the same run.
let package = Package(
    name: "hummingbird-livez",
    platforms: [.macOS(.v14)],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1")
    ],
    targets: [
        .executableTarget(
            name: "hummingbird-livez",
            dependencies: [.product(name: "Hummingbird", package: "hummingbird")])
    ]
)
