// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "assay-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "assay", path: ".."),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .executableTarget(
            name: "assay-bench",
            dependencies: [
                .product(name: "Assay", package: "assay"),
                .product(name: "AssaySQLite", package: "assay"),
                .product(name: "AssayStatements", package: "assay"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")])
    ]
)
