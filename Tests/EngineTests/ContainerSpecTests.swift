import Engine
import JSON
import Linux
import Networking
import OCI
import Testing

@Suite struct ContainerSpecTests {
    static let full: ContainerSpec = {
        var spec = ContainerSpec(program: "/bin/scorer", arguments: ["-v", "trade 1", "é"])
        spec.name = "scorer-1"
        spec.rung = .container
        spec.environment = ["A=1", "B=", "C=x=y"]
        spec.directory = "/work"
        spec.user = "risk:risk"
        spec.root = .overlay(lower: ["/a", "/b"], upper: "/u", work: "/w")
        spec.mounts = [
            .bind(source: "/data", target: "/in", isReadOnly: true), .temporary(target: "/scratch", bytes: 1 << 20),
            .temporary(target: "/more", bytes: nil),
        ]
        spec.memoryBytes = 64 << 20
        spec.milliCPUs = 1500
        spec.pidsLimit = 0
        spec.cpus = "0-1"
        spec.limits = [ContainerLimit(name: "nofile", soft: 64, hard: nil), ContainerLimit(name: "core", soft: 0, hard: 0)]
        spec.network = .host
        spec.hostname = "risk-1.bank"
        spec.addedCapabilities = ["NET_BIND_SERVICE"]
        spec.droppedCapabilities = ["ALL"]
        spec.hasSystemCallFilter = false
        spec.noNewPrivileges = false
        spec.hasTerminal = true
        spec.isInteractive = true
        spec.removesOnExit = true
        spec.stopSignal = 2
        spec.stopTimeoutSeconds = 3
        spec.logBytes = 1 << 20
        spec.labels = ["team": "risk"]
        return spec
    }()

    /// What only a container of an image has.
    static let ofImage: ContainerSpec = {
        var spec = ContainerSpec(program: "")
        spec.image = ContainerImage("risk/scorer:2", id: Digest(.sha256, hash: [UInt8](repeating: 7, count: 32)))
        spec.entrypoint = []
        spec.mounts = [
            .volume(name: "trades", target: "/trades", isReadOnly: true), .volume(name: nil, target: "/own", isReadOnly: false),
        ]
        spec.sharedMemoryBytes = 1 << 20
        spec.cpuShares = 512
        spec.devices = [ContainerDevice(source: "/dev/null", target: "/dev/nothing", permissions: "r")]
        spec.network = .joined([
            NetworkAttachment.Joining(network: "desk", aliases: ["scorer"], ipv4: IPAddress("10.7.0.9"), ipv6: IPAddress("fd00::9"))
        ])
        spec.ports = [PublishedPort(.udp, hostAddress: IPAddress("127.0.0.1")!, hostPort: 8053, containerPort: 53)]
        spec.publishesExposedPorts = true
        spec.exposedPorts = [ContainerPort(9, .sctp)!]
        spec.nameServers = [IPAddress("127.0.0.2")!]
        spec.searchDomains = []
        spec.resolverOptions = ["ndots:2"]
        spec.extraHosts = [.init(name: "machine", address: nil), .init(name: "peer", address: IPAddress("::1"))]
        spec.usesInit = true
        spec.restart = .onFailure(retries: 3)
        spec.healthcheck = Healthcheck(test: .shell("true"), interval: 1_000_000_000, retries: 2)
        return spec
    }()

    @Test func `a spec survives JSON, whatever is in it`() throws {
        for spec in [Self.full, Self.ofImage, ContainerSpec(program: "ls")] {
            let text = JSONWriter.text(spec.json)
            #expect(try ContainerSpec(strict: try JSONParser.parse(text)) == spec)
        }
    }

    @Test func `a field that nobody knows is named`() throws {
        var json = ContainerSpec(program: "ls").json
        json["memroyBytes"] = 5
        let error = #expect(throws: JSONShapeError.self) { try ContainerSpec(strict: json) }
        #expect(error?.path == "memroyBytes")
    }

    @Test func `the full spec is valid`() throws {
        var spec = Self.full
        try spec.validate()
        spec.root = .directory("/x")
        spec.isReadOnly = true
        try spec.validate()
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var flag: String
        var change: @Sendable (inout ContainerSpec) -> Void
        var testDescription: String { flag }
    }

    static let wrong: [Wrong] = [
        Wrong(flag: "--name") { $0.name = "" },
        Wrong(flag: "--name") { $0.name = "-a" },
        Wrong(flag: "--name") { $0.name = "a b" },
        Wrong(flag: "--name") { $0.name = "../a" },
        Wrong(flag: "--name") { $0.name = String(repeating: "a", count: 65) },
        Wrong(flag: "the program") { $0.program = "" },
        Wrong(flag: "the program") { $0.program = "a\0b" },
        Wrong(flag: "an argument") { $0.arguments = ["\0"] },
        Wrong(flag: "-e") { $0.environment = ["NAME"] },
        Wrong(flag: "-e") { $0.environment = ["=x"] },
        Wrong(flag: "-e") { $0.environment = ["A=\0"] },
        Wrong(flag: "-w") { $0.directory = "here" },
        Wrong(flag: "-u") { $0.user = "" },
        Wrong(flag: "--root") { $0.root = .directory("x") },
        Wrong(flag: "--overlay") { $0.root = .overlay(lower: [], upper: nil, work: nil) },
        Wrong(flag: "--overlay") { $0.root = .overlay(lower: ["/a"], upper: "/u", work: nil) },
        Wrong(flag: "--read-only") {
            $0.root = .overlay(lower: ["/a"], upper: "/u", work: "/w")
            $0.isReadOnly = true
        },
        Wrong(flag: "-v") { $0.mounts = [.bind(source: "a", target: "/a", isReadOnly: false)] },
        Wrong(flag: "-v") { $0.mounts = [.bind(source: "/a", target: "a", isReadOnly: false)] },
        Wrong(flag: "-v") { $0.mounts = [.bind(source: "/a", target: "/", isReadOnly: false)] },
        Wrong(flag: "-v") { $0.mounts = [.bind(source: "/a", target: "/x/../etc", isReadOnly: false)] },
        Wrong(flag: "--tmpfs") {
            $0.mounts = [.temporary(target: "/a/", bytes: nil), .temporary(target: "//a", bytes: nil)]
        },
        Wrong(flag: "--tmpfs") { $0.mounts = [.temporary(target: "/a", bytes: 1)] },
        Wrong(flag: "--memory") { $0.memoryBytes = 0 },
        Wrong(flag: "--cpus") { $0.milliCPUs = -1 },
        Wrong(flag: "--pids-limit") { $0.pidsLimit = -2 },
        Wrong(flag: "--cpuset-cpus") { $0.cpus = "3-1" },
        Wrong(flag: "--ulimit") { $0.limits = [ContainerLimit(name: "files", soft: 1, hard: 1)] },
        Wrong(flag: "--ulimit") { $0.limits = [ContainerLimit(name: "nofile", soft: 2, hard: 1)] },
        Wrong(flag: "--ulimit") { $0.limits = [ContainerLimit(name: "nofile", soft: nil, hard: 1)] },
        Wrong(flag: "--ulimit") {
            $0.limits = [ContainerLimit(name: "nofile", soft: 1, hard: 1), ContainerLimit(name: "nofile", soft: 1, hard: 1)]
        },
        Wrong(flag: "--hostname") { $0.hostname = "" },
        Wrong(flag: "--hostname") { $0.hostname = "-a" },
        Wrong(flag: "--hostname") { $0.hostname = "a..b" },
        Wrong(flag: "--hostname") { $0.hostname = "a_b" },
        Wrong(flag: "--cap-add") { $0.addedCapabilities = ["FLY"] },
        Wrong(flag: "--cap-drop") { $0.droppedCapabilities = ["FLY"] },
        Wrong(flag: "--stop-signal") { $0.stopSignal = 65 },
        Wrong(flag: "--stop-timeout") { $0.stopTimeoutSeconds = -1 },
        Wrong(flag: "--log-size") { $0.logBytes = 10 },
        Wrong(flag: "--label") { $0.labels = ["": "x"] },
        Wrong(flag: "--root") {
            $0.rung = .process
            $0.root = .directory("/x")
        },
        Wrong(flag: "-v") {
            $0.rung = .process
            $0.mounts = [.bind(source: "/a", target: "/a", isReadOnly: false)]
        },
        Wrong(flag: "--read-only") {
            $0.rung = .process
            $0.isReadOnly = true
        },
        Wrong(flag: "--hostname") {
            $0.rung = .process
            $0.hostname = "a"
        },
        Wrong(flag: "--network") {
            $0.rung = .process
            $0.network = .isolated
        },
    ]

    @Test func `ports need a network that leads out`() throws {
        for choice: ContainerNetwork in [.isolated, .host, .container("web")] {
            var spec = ContainerSpec(program: "")
            spec.image = ContainerImage("app")
            spec.ports = [PublishedPort(hostPort: 8080, containerPort: 80)]
            spec.network = choice
            #expect(throws: SpecError.self) { try spec.validate() }
            spec.network = nil
            try spec.validate()
        }
    }

    @Test(arguments: wrong) func `every flag that makes no sense is named`(wrong: Wrong) {
        var spec = ContainerSpec(program: "ls")
        wrong.change(&spec)
        let error = #expect(throws: SpecError.self) { try spec.validate() }
        #expect(error?.flag == wrong.flag)
    }
}
