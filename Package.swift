// swift-tools-version: 6.2
import PackageDescription

/// Strict everywhere: Swift 6 mode, every warning an error, no unmarked unsafe code, explicit imports.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "ntk-server",
    products: [
        .executable(name: "ntk-server", targets: ["ntk-server"]),
        .library(name: "NTK", targets: ["NTK"]),
        .executable(name: "http1-echo", targets: ["http1-echo"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C libraries and the C that Swift cannot express.
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CSHA256", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "CSimdJSON",
            cxxSettings: [.unsafeFlags(["-std=c++17", "-O2"]), .define("NDEBUG", .when(configuration: .release))],
            linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++"), .linkedLibrary("m")]),
        .target(
            name: "CDualActivations", dependencies: ["CSupport"],
            cSettings: [.unsafeFlags(["-O3", "-ffp-contract=on", "-fno-math-errno", "-fno-trapping-math"])]),

        .target(
            name: "CCompensatedSums", dependencies: ["CSupport"],
            cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-math-errno"])]),
        .target(
            name: "CThinProducts", dependencies: ["CSupport"],
            cSettings: [.unsafeFlags(["-O3", "-ffp-contract=on", "-fno-math-errno"])]),
        .target(name: "CSupport", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "Locks", dependencies: ["CSupport"], swiftSettings: strict),
        .target(name: "CEmbedded", exclude: ["page"], cSettings: [.unsafeFlags(["-std=c23"])]),

        // The numeric core.
        .target(
            name: "LinearAlgebra", dependencies: ["COpenBLAS", "CSupport", "CCompensatedSums", "Locks"],
            swiftSettings: strict),
        .target(name: "Activations", dependencies: ["CDualActivations", "LinearAlgebra", "Locks"], swiftSettings: strict),
        .target(name: "Architecture", dependencies: ["Activations", "LinearAlgebra"], swiftSettings: strict),
        .target(name: "KernelLoops", dependencies: ["CDualActivations", "LinearAlgebra"], swiftSettings: strict),
        .target(
            name: "SpatialKernels", dependencies: ["Activations", "Architecture", "KernelLoops", "LinearAlgebra", "Locks"], swiftSettings: strict),
        .target(
            name: "AnalyticKernels", dependencies: ["Activations", "Architecture", "KernelLoops", "LinearAlgebra", "SpatialKernels", "Locks"],
            swiftSettings: strict),
        .target(name: "EmpiricalKernels", dependencies: ["Activations", "Architecture", "LinearAlgebra", "Locks"], swiftSettings: strict),
        .target(name: "Regression", dependencies: ["CThinProducts", "KernelLoops", "LinearAlgebra", "Locks"], swiftSettings: strict),
        // The library: what those above have in public.
        .target(
            name: "NTK",
            dependencies: [
                "Activations", "AnalyticKernels", "Architecture", "EmpiricalKernels", "KernelLoops", "LinearAlgebra", "Regression",
            ],
            swiftSettings: strict),
        .target(name: "Attribution", dependencies: ["LinearAlgebra", "NTK"], swiftSettings: strict),
        .target(name: "FiniteWidth", dependencies: ["NTK", "Activations", "LinearAlgebra", "Locks"], swiftSettings: strict),
        .target(name: "LearningCurves", dependencies: ["NTK", "LinearAlgebra"], swiftSettings: strict),
        .target(name: "ONNX", swiftSettings: strict),
        .target(name: "FiniteNetworks", dependencies: ["LinearAlgebra", "ONNX"], swiftSettings: strict),
        .target(name: "TensorFormats", dependencies: ["CDeflate", "CSimdJSON", "CZlib", "LinearAlgebra", "Locks"], swiftSettings: strict),

        // Serving.
        .target(name: "Metrics", dependencies: ["Locks"], swiftSettings: strict),
        .target(name: "HTTP1", dependencies: [httpTypes], swiftSettings: strict),
        .target(name: "HTTPServer", dependencies: ["HTTP1", "CEpoll", "COpenSSL", "Locks", httpTypes], swiftSettings: strict),
        .target(name: "ContentCoding", dependencies: ["HTTP1", "ComputeExecutor", "CZlib", "Locks", httpTypes], swiftSettings: strict),
        .target(name: "ComputeExecutor", dependencies: ["LinearAlgebra", "Locks"], swiftSettings: strict),
        .target(name: "Batching", dependencies: ["Locks"], swiftSettings: strict),
        .target(name: "ArtifactStore", dependencies: ["CDeflate", "CSHA256", "Locks"], swiftSettings: strict),
        .target(name: "Jobs", dependencies: ["ArtifactStore", "LinearAlgebra", "Locks", "TensorFormats"], swiftSettings: strict),
        .target(
            name: "NTKService",
            dependencies: [
                "NTK", "Attribution", "FiniteWidth", "LearningCurves", "ONNX", "FiniteNetworks", "LinearAlgebra", "TensorFormats", "HTTP1",
                "ComputeExecutor", "Batching", "ArtifactStore", "Jobs",
                "CEmbedded", "CYAML", "Metrics",
                "Locks",
                httpTypes,
            ],
            swiftSettings: strict),
        .target(name: "Logs", dependencies: ["Locks", logging], swiftSettings: strict),
        .target(
            name: "Gateway", dependencies: ["NTKService", "HTTP1", "Logs", "Metrics", "TensorFormats", "CSHA256", "Locks", httpTypes, logging],
            swiftSettings: strict),
        .executableTarget(
            name: "ntk-server",
            dependencies: [
                "ArtifactStore", "HTTPServer", "ContentCoding", "NTKService", "ComputeExecutor", "Batching", "Jobs", "CSupport", "LinearAlgebra",
                "Locks", "Metrics",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                logging, "Logs", "Gateway",
            ],
            swiftSettings: strict),

        .executableTarget(
            name: "ntk-benchmark", dependencies: ["NTK", "LinearAlgebra", "TensorFormats", "COpenBLAS"], path: "Benchmarks/ntk-benchmark",
            swiftSettings: strict),

        .executableTarget(name: "kernel-example", dependencies: ["NTK", "LinearAlgebra"], path: "Examples/Library", swiftSettings: strict),

        .executableTarget(name: "http1-echo", dependencies: ["HTTPServer", "HTTP1", httpTypes], path: "Tests/EchoServer", swiftSettings: strict),

        // Tests, one target beside each source target.
        .testTarget(name: "HTTP1Tests", dependencies: ["HTTP1", "TestSupport", httpTypes], resources: [.copy("Corpus")], swiftSettings: strict),
        .testTarget(
            name: "HTTPServerTests", dependencies: ["HTTPServer", "Locks", "HTTP1", "COpenSSL", "TestSupport", httpTypes],
            swiftSettings: strict),
        .testTarget(
            name: "NTKServerTests",
            dependencies: [
                "ntk-server", "Batching", "ContentCoding", "Gateway", "HTTPServer", "Jobs", "NTKService",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ContentCodingTests", dependencies: ["ContentCoding", "ComputeExecutor", "HTTP1", "CZlib", "Locks", httpTypes],
            swiftSettings: strict),
        .testTarget(name: "TensorFormatsTests", dependencies: ["TensorFormats", "LinearAlgebra", "TestSupport"], swiftSettings: strict),
        .target(name: "TestSupport", dependencies: ["LinearAlgebra", "Locks"], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "LinearAlgebraTests", dependencies: ["LinearAlgebra", "Locks", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "NTKTests",
            dependencies: [
                "NTK", "Activations", "Architecture", "EmpiricalKernels", "KernelLoops", "Regression", "SpatialKernels", "LinearAlgebra",
                "TestSupport",
            ],
            resources: [.copy("Golden")], swiftSettings: strict),
        .testTarget(name: "AttributionTests", dependencies: ["Attribution", "LinearAlgebra", "NTK", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "FiniteWidthTests", dependencies: ["FiniteWidth", "NTK", "LinearAlgebra", "TestSupport"],
            resources: [.copy("Golden")], swiftSettings: strict),
        .testTarget(name: "LearningCurvesTests", dependencies: ["LearningCurves", "NTK", "LinearAlgebra", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "ONNXTests", dependencies: ["ONNX"], swiftSettings: strict),
        .testTarget(
            name: "FiniteNetworksTests", dependencies: ["FiniteNetworks", "LinearAlgebra", "ONNX", "TestSupport"],
            resources: [.copy("Golden")], swiftSettings: strict),
        .testTarget(name: "LogsTests", dependencies: ["Logs", "TestSupport", logging], swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "NTKService", "HTTP1", "Metrics", "ComputeExecutor", "Logs", "Locks", "TestSupport", httpTypes, logging],
            swiftSettings: strict),
        .testTarget(name: "MetricsTests", dependencies: ["Metrics"], swiftSettings: strict),
        .testTarget(name: "JobsTests", dependencies: ["ArtifactStore", "Jobs", "LinearAlgebra", "Locks", "TensorFormats"], swiftSettings: strict),
        .testTarget(name: "ArtifactStoreTests", dependencies: ["ArtifactStore"], swiftSettings: strict),
        .testTarget(name: "ComputeExecutorTests", dependencies: ["ComputeExecutor", "Locks", "LinearAlgebra", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "BatchingTests", dependencies: ["Batching", "Locks", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "NTKServiceTests",
            dependencies: [
                "NTKService", "Jobs", "ComputeExecutor", "Batching", "TestSupport", "LinearAlgebra", "Locks", "HTTP1", "TensorFormats", httpTypes,
            ],
            resources: [.copy("Golden")], swiftSettings: strict),
    ]
)
