// swift-tools-version: 6.2
import PackageDescription

// A package of its own: what Forkless is compared with never becomes a dependency of its users.
let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "forkless", path: ".."),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: [
        .target(name: "CBaselines"),
        .executableTarget(
            name: "bench",
            dependencies: [
                "CBaselines",
                .product(name: "Spawn", package: "forkless"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
    ])
