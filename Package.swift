// swift-tools-version: 6.2
import PackageDescription

// One list for every target: https://github.com/swiftlang/swift-evolution SE-0335, SE-0409, SE-0444.
var settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

if Context.environment["CI"] != nil {
    settings.append(.treatAllWarnings(as: .error))
}

let package = Package(
    name: "assay",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Assay", targets: ["Assay"]),
        .library(name: "AssaySQLite", targets: ["AssaySQLite"]),
        .library(name: "AssayStatements", targets: ["AssayStatements"]),
        .library(name: "AssayPipelines", targets: ["AssayPipelines"]),
        .executable(name: "assay", targets: ["AssayMain"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CSpawn"),
        .target(
            name: "Assay",
            dependencies: [
                "CSpawn",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "OrderedCollections", package: "swift-collections"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "AssayPipelines", dependencies: ["Assay", .product(name: "Yams", package: "Yams")],
            swiftSettings: settings),
        .target(
            name: "AssaySQLite",
            dependencies: [
                "Assay", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: settings),
        .target(name: "AssayStatements", dependencies: ["Assay"], swiftSettings: settings),
        .target(
            name: "AssayCommands",
            dependencies: [
                "Assay", "AssaySQLite", "AssayPipelines", "AssayStatements",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "AssayMain", dependencies: ["AssayCommands"], swiftSettings: settings),
        .executableTarget(
            name: "QuickStart", dependencies: ["Assay", "AssaySQLite"], path: "Examples/QuickStart",
            swiftSettings: settings),
        .target(name: "AssayTesting", dependencies: ["Assay"], swiftSettings: settings),
        .testTarget(
            name: "ExampleTests", dependencies: ["QuickStart", "AssayMain"], swiftSettings: settings),
        .testTarget(
            name: "AssayCommandsTests",
            dependencies: [
                "Assay", "AssayCommands", "AssayMain", "AssayPipelines", "AssaySQLite", "AssayStatements",
                "AssayTesting",
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "PipelineFuzz", dependencies: ["Assay", "AssayPipelines", "AssayTesting"],
            path: "Tests/PipelineFuzz", swiftSettings: settings),
        .testTarget(
            name: "AssayPipelinesTests",
            dependencies: [
                "Assay", "AssayPipelines", "AssayTesting", "PipelineFuzz",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "AssaySQLiteKillHelper", dependencies: ["Assay", "AssaySQLite"],
            path: "Tests/AssaySQLiteKillHelper", swiftSettings: settings),
        .testTarget(
            name: "AssaySQLiteTests",
            dependencies: [
                "Assay", "AssaySQLite", "AssayTesting", "AssaySQLiteKillHelper",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AssayStatementsTests", dependencies: ["Assay", "AssayStatements"], exclude: ["Samples"],
            swiftSettings: settings),
        .executableTarget(
            name: "AssayWorkerHelper",
            dependencies: ["Assay", "AssayTesting", .product(name: "Logging", package: "swift-log")],
            path: "Tests/AssayWorkerHelper",
            swiftSettings: settings),
        .testTarget(
            name: "AssayTests",
            dependencies: [
                "Assay", "AssayTesting", "AssayWorkerHelper", .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: settings),
    ]
)
