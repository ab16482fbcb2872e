// swift-tools-version: 6.2
import PackageDescription

// The package graph as a table. A module names its rung and what it needs; the checks below refuse to
// load the manifest when an edge points up, or when a target that others must not touch is imported.

enum Rung: Int {
    case kernel, values, container, node, function, shift, edge, tests

    var folder: String {
        switch self {
        case .kernel: "Kernel"
        case .values: "Values"
        case .container: "Container"
        case .node: "Node"
        case .function: "Function"
        case .shift: "Shift"
        case .edge: "Edge"
        case .tests: "TestKit"
        }
    }
}

enum Form { case c, library, executable, testKit, system }

struct Module {
    var name: String
    var rung: Rung
    var needs: [String] = []
    var outside: [Target.Dependency] = []
    var form = Form.library
    var tested = true
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let database: [Target.Dependency] = [
    .product(name: "GRDB", package: "GRDB.swift"),
    .product(name: "GRDBSQLite", package: "GRDB.swift"),
]
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")
let httpServer: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let certificates = Target.Dependency.product(name: "X509", package: "swift-certificates")
let webSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
// HTTP/2 comes with the HTTP client anyway; what speaks it itself names it.
let http2: [Target.Dependency] = [
    .product(name: "NIOHTTP2", package: "swift-nio-http2"),
    .product(name: "NIOHPACK", package: "swift-nio-http2"),
]
let httpClient: [Target.Dependency] = [
    .product(name: "AsyncHTTPClient", package: "async-http-client"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

// Order matters inside a rung: a module may need only modules that stand above it in this list.
let modules = [
    Module(name: "CKernel", rung: .kernel, form: .c, tested: false),
    Module(name: "CSpawn", rung: .kernel, needs: ["CKernel"], form: .c, tested: false),
    Module(name: "CStart", rung: .kernel, form: .c, tested: false),
    Module(name: "Linux", rung: .kernel, needs: ["CKernel"]),

    Module(name: "Chance", rung: .values),
    Module(name: "JSON", rung: .values),
    Module(name: "OCI", rung: .values, needs: ["JSON"]),

    Module(name: "Lambda", rung: .values, needs: ["JSON"]),
    Module(name: "KubeSchema", rung: .values, needs: ["JSON"]),
    Module(name: "Metrics", rung: .values),
    Module(name: "Plotting", rung: .values),
    Module(name: "Traces", rung: .values),
    Module(name: "NodeLogs", rung: .values),

    // Libraries of the system: tar archives and their compression.
    Module(name: "CArchive", rung: .container, form: .system, tested: false),
    Module(name: "Images", rung: .container, needs: ["Linux", "JSON", "OCI", "CArchive"], outside: [crypto]),

    Module(name: "Spawn", rung: .container, needs: ["CSpawn", "Linux"]),
    Module(
        name: "Registry", rung: .container, needs: ["Linux", "JSON", "OCI", "Images", "Spawn"], outside: httpClient),
    Module(name: "Sandbox", rung: .container, needs: ["Linux", "Spawn"]),
    Module(name: "MessageBus", rung: .container, needs: ["Linux"]),
    Module(name: "RuntimeCgroups", rung: .container, needs: ["Linux", "JSON", "OCI", "Sandbox", "MessageBus"]),
    Module(name: "RuntimeSeccomp", rung: .container, needs: ["Linux", "JSON", "OCI", "Sandbox"]),
    Module(
        name: "OCIRuntime", rung: .container,
        needs: ["Linux", "JSON", "OCI", "Spawn", "Sandbox", "RuntimeCgroups", "RuntimeSeccomp", "MessageBus"]),
    Module(name: "Keeper", rung: .container, needs: ["Linux", "Spawn", "Sandbox"]),
    Module(name: "Networking", rung: .container, needs: ["Linux", "JSON", "Spawn"]),
    Module(
        name: "Engine", rung: .container,
        needs: ["Linux", "JSON", "OCI", "Metrics", "Images", "Networking", "Sandbox", "Keeper", "Spawn"]),
    Module(
        name: "Building", rung: .container,
        needs: ["Linux", "JSON", "OCI", "Images", "Sandbox", "Keeper", "Engine", "Spawn"]),

    Module(name: "HTTPServing", rung: .container, needs: ["Linux", "Traces"], outside: httpServer + [tls]),

    Module(name: "Store", rung: .node, needs: ["Linux", "JSON", "Metrics"], outside: database),
    Module(name: "History", rung: .node, needs: ["Linux", "JSON", "Metrics", "Store"]),
    Module(name: "KubeStore", rung: .node, needs: ["Linux", "JSON", "Metrics", "Store"]),
    Module(name: "KubeObjects", rung: .node, needs: ["Linux", "JSON", "KubeSchema", "KubeStore"]),
    Module(name: "KubeViews", rung: .node, needs: ["Linux", "JSON", "KubeSchema", "KubeStore", "KubeObjects"], outside: [crypto]),
    Module(
        name: "KubeAPI", rung: .node, needs: ["Linux", "JSON", "Store", "KubeSchema", "KubeStore", "KubeObjects", "KubeViews"],
        outside: [crypto, yaml]),
    // The system's zlib: SPDY compresses the headers of its streams with a dictionary of its own.
    Module(name: "CZlib", rung: .node, form: .system, tested: false),
    Module(
        name: "KubeServing", rung: .node,
        needs: [
            "Linux", "JSON", "Metrics", "HTTPServing", "KubeSchema", "KubeStore", "KubeObjects", "CZlib", "NodeLogs", "Traces",
        ],
        outside: [crypto, certificates]),
    Module(
        name: "KubeControllers", rung: .node, needs: ["Linux", "JSON", "KubeSchema", "KubeStore", "KubeObjects"],
        outside: [crypto]),
    Module(
        name: "Pods", rung: .node,
        needs: [
            "Linux", "JSON", "OCI", "Images", "Spawn", "Registry", "Sandbox", "Keeper", "Networking", "Engine", "HTTPServing",
            "KubeSchema", "KubeStore", "KubeObjects",
        ], outside: httpClient + http2),
    Module(
        name: "Services", rung: .node,
        needs: [
            "Linux", "JSON", "Metrics", "Spawn", "Networking", "HTTPServing", "KubeSchema", "KubeStore", "KubeObjects", "Traces",
            "NodeLogs",
        ]),

    Module(name: "Metering", rung: .function, needs: ["Linux", "JSON", "Lambda", "Metrics", "Store", "NodeLogs"], outside: [crypto]),
    Module(
        name: "Functions", rung: .function,
        needs: [
            "Linux", "JSON", "OCI", "Lambda", "Metrics", "Images", "Spawn", "Sandbox", "Keeper", "Networking", "Engine",
            "HTTPServing", "Store", "Metering", "Traces",
        ], outside: [crypto]),
    Module(
        name: "Catalog", rung: .function, needs: ["Linux", "JSON", "OCI", "Lambda", "Images", "Store"], outside: [crypto]),
    Module(
        name: "EventSources", rung: .function,
        needs: [
            "Linux", "JSON", "Lambda", "Metrics", "HTTPServing", "Store", "Metering", "Functions", "Catalog", "Traces", "NodeLogs",
        ], outside: [crypto]),
    Module(
        name: "LambdaAPI", rung: .function,
        needs: [
            "Linux", "JSON", "Lambda", "Engine", "HTTPServing", "Store", "Metering", "Functions", "Catalog", "EventSources", "Traces", "NodeLogs",
        ], outside: [crypto]),
    Module(name: "Deploying", rung: .function, needs: ["Linux", "JSON", "OCI", "Lambda", "Images"], outside: [yaml]),

    Module(name: "Comparison", rung: .shift, needs: ["Linux", "Chance", "JSON", "Metrics", "Plotting", "Spawn", "Engine"]),
    Module(name: "RightSizing", rung: .shift, needs: ["Linux", "JSON", "Metrics", "Metering", "Comparison"]),
    Module(name: "Observation", rung: .shift, needs: ["Linux", "JSON", "Metrics", "Sandbox"]),
    Module(name: "Planning", rung: .shift, needs: ["Linux", "JSON", "Spawn", "Comparison", "Observation"]),
    Module(
        name: "Packing", rung: .shift, needs: ["Linux", "JSON", "OCI", "Images", "Spawn", "Observation", "Planning"],
        outside: [crypto]),
    Module(
        name: "Graduation", rung: .shift, needs: ["Linux", "JSON", "OCI", "KubeSchema", "Networking", "Engine"],
        outside: [yaml]),
    Module(
        name: "PodInstances", rung: .shift, needs: ["Linux", "JSON", "Spawn", "Engine", "HTTPServing", "Functions"],
        outside: httpClient + [webSocket, yaml]),
    Module(
        name: "ExecDoor", rung: .shift,
        needs: [
            "Linux", "Chance", "JSON", "Lambda", "Metrics", "Spawn", "Sandbox", "Keeper", "Engine", "HTTPServing", "Store",
            "Metering", "Functions", "Traces",
        ]),

    Module(name: "Dashboard", rung: .edge, needs: ["Linux", "Plotting", "HTTPServing", "Comparison"]),
    Module(
        name: "Daemon", rung: .edge,
        needs: [
            "Linux", "JSON", "OCI", "Lambda", "Metrics", "Images", "Registry", "Networking", "Building", "Spawn", "Sandbox", "Keeper",
            "Engine", "HTTPServing", "Store", "History", "KubeSchema", "KubeStore", "KubeObjects", "KubeViews", "KubeAPI", "KubeServing",
            "KubeControllers", "Pods", "Services", "Metering", "Functions", "Catalog", "EventSources", "LambdaAPI",
            "Comparison", "Graduation", "PodInstances", "ExecDoor", "Dashboard", "Traces", "NodeLogs",
        ]),
    Module(
        name: "CommandLine", rung: .edge,
        needs: [
            "Linux", "JSON", "OCI", "Lambda", "KubeSchema", "Registry", "Networking", "Spawn", "Sandbox", "Keeper", "Engine", "HTTPServing",
            "Store", "Metering", "Functions", "Deploying", "Comparison", "Observation", "Planning", "Packing", "ExecDoor", "Graduation",
            "Dashboard", "RightSizing", "PodInstances", "Daemon", "Traces", "NodeLogs",
        ],
        outside: [argumentParser, yaml]),
    Module(name: "forkless", rung: .edge, needs: ["CommandLine"], form: .executable, tested: false),
    Module(name: "forkless-keeper", rung: .edge, needs: ["Keeper"], form: .executable, tested: false),
    Module(name: "forkless-oci", rung: .edge, needs: ["CStart", "OCIRuntime"], form: .executable, tested: false),
    // Times the keeper for Benchmarks/, which is another package and cannot speak its protocol. No product.
    Module(
        name: "forkless-load", rung: .edge, needs: ["Linux", "JSON", "Spawn", "Sandbox", "Keeper"], form: .executable,
        tested: false),

    Module(name: "TestKit", rung: .tests, needs: ["Linux", "Chance", "JSON", "OCI", "Images"], form: .testKit, tested: false),
]

/// C libraries of the system that only these modules' tests link: `swift build` works without them.
let testLibraries: [String: [String]] = [
    "Sandbox": ["CLibseccomp"],
    "RuntimeSeccomp": ["CLibseccomp"],
]

/// Modules that a module's tests look at beside those that it needs: controllers are simulated together with the life of pods.
let testNeeds: [String: [String]] = [
    "KubeControllers": ["Pods"],
    // How a program that the tests run has ended.
    "Plotting": ["Linux"],
    "NodeLogs": ["JSON"],
]

/// Targets that only the named modules may import: each wraps one outside world.
let exclusive: [String: Set<String>] = [
    "CArchive": ["Images"],
    "CZlib": ["KubeServing"],
    "CSpawn": ["Spawn"],
    "CKernel": ["CSpawn", "Linux"],
    "CStart": ["forkless-oci"],
]

let position = Dictionary(uniqueKeysWithValues: modules.enumerated().map { ($1.name, $0) })
for (index, module) in modules.enumerated() {
    for need in module.needs {
        guard let at = position[need] else {
            preconditionFailure("\(module.name) needs \(need), which is not in the table")
        }
        precondition(
            at < index && modules[at].rung.rawValue <= module.rung.rawValue,
            "\(module.name) may not need \(need): edges point down")
        if let allowed = exclusive[need] {
            precondition(
                allowed.contains(module.name), "\(module.name) may not import \(need): only \(allowed.sorted()) may")
        }
    }
}

/// FORKLESS_FOCUS=KubeAPI,KubeObjects builds those modules with their tests and what they need, and nothing else: a
/// change is tried in seconds. Without it everything is built.
let focus: Set<String> = {
    var wanted = Set((Context.environment["FORKLESS_FOCUS"] ?? "").split(separator: ",").map(String.init))
    for name in wanted { precondition(position[name] != nil, "FORKLESS_FOCUS names \(name), which is not in the table") }
    if !wanted.isEmpty { wanted.insert("TestKit") }
    for name in wanted { wanted.formUnion(testNeeds[name, default: []]) }
    for module in modules.reversed() where wanted.contains(module.name) { wanted.formUnion(module.needs) }
    return wanted
}()
let tested = Set((Context.environment["FORKLESS_FOCUS"] ?? "").split(separator: ",").map(String.init))
let chosen = focus.isEmpty ? modules : modules.filter { focus.contains($0.name) }

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The keeper is also the first process of sandboxes that do not show where the toolchain has its libraries, and the OCI
/// runtime's children live in such. What is installed is linked statically as a whole (Makefile).
let standsAlone: [LinkerSetting] = [.unsafeFlags(["-static-stdlib"], .when(configuration: .debug))]
/// The OCI runtime protects its own file before the C library starts (CStart), which only works without a loader. lld is
/// silent about what of Swift's runtime would want one.
let startsItself: [LinkerSetting] = [
    .unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .debug)),
    .unsafeFlags(["-Xlinker", "--entry=forkless_start"]),
]
let linking = ["forkless-keeper": standsAlone, "forkless-oci": startsItself]

func target(_ module: Module) -> Target {
    let folder = module.form == .testKit ? "Sources/TestKit" : "Sources/\(module.rung.folder)/\(module.name)"
    let dependencies = module.needs.map { Target.Dependency.byName(name: $0) } + module.outside
    switch module.form {
    case .system:
        return .systemLibrary(name: module.name, path: folder)
    case .c:
        // The library for LD_PRELOAD is built by the Makefile: SwiftPM has no dynamic library of C alone.
        let exclude = module.name == "CSpawn" ? ["preload"] : []
        return .target(name: module.name, dependencies: dependencies, path: folder, exclude: exclude)
    case .executable:
        return .executableTarget(
            name: module.name, dependencies: dependencies, path: folder,
            exclude: module.name == "forkless-oci" ? ["link-order.txt"] : [], swiftSettings: swiftSettings,
            linkerSettings: linking[module.name] ?? [])
    case .library, .testKit:
        return .target(name: module.name, dependencies: dependencies, path: folder, swiftSettings: swiftSettings)
    }
}

func testTarget(_ module: Module) -> Target {
    .testTarget(
        name: "\(module.name)Tests",
        dependencies: [.byName(name: module.name), "TestKit"]
            + (module.needs.filter { exclusive[$0] == nil } + testNeeds[module.name, default: []]
                + testLibraries[module.name, default: []]).map {
                    .byName(name: $0)
                } + module.outside,
        path: "Tests/\(module.name)Tests",
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "forkless",
    products: focus.isEmpty
        ? [
            .library(name: "Spawn", targets: ["Spawn"]),
            .executable(name: "forkless", targets: ["forkless"]),
            .executable(name: "forkless-keeper", targets: ["forkless-keeper"]),
            .executable(name: "forkless-oci", targets: ["forkless-oci"]),
        ] : [],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: chosen.map(target)
        + chosen.filter { $0.tested && (focus.isEmpty || tested.contains($0.name)) }.map(testTarget)
        + Set(testLibraries.values.joined()).sorted().map { .systemLibrary(name: $0, path: "Tests/\($0)") }
)
