import Engine
import Images
import OCI
import Testing

/// Docker's rules for what a container gets when its spec says one thing and its image another.
@Suite struct ImageDefaultsMergeTests {
    private static let id = Digest(of: [1, 2, 3])

    private func merge(
        _ change: (inout ImageDefaults) -> Void, _ ask: (inout ContainerSpec) -> Void = { _ in }
    ) throws -> ContainerSpec {
        var defaults = ImageDefaults()
        defaults.cmd = ["sh"]
        change(&defaults)
        var spec = ContainerSpec(program: "")
        spec.image = ContainerImage("app")
        ask(&spec)
        return try ImageDefaultsMerge.merge(spec, with: defaults, id: Self.id)
    }

    /// Which words run: the table of docker run(1), "ENTRYPOINT" and "CMD".
    struct Words: Sendable {
        var entrypoint: [String]?
        var cmd: [String]?
        var asked: [String]?
        var command: [String]
        var expected: [String]
    }

    static let table = [
        Words(cmd: ["c", "d"], command: [], expected: ["c", "d"]),
        Words(cmd: ["c", "d"], command: ["x"], expected: ["x"]),
        Words(entrypoint: ["e"], command: [], expected: ["e"]),
        Words(entrypoint: ["e"], cmd: ["c"], command: [], expected: ["e", "c"]),
        Words(entrypoint: ["e", "f"], cmd: ["c"], command: ["x", "y"], expected: ["e", "f", "x", "y"]),
        Words(entrypoint: ["e"], cmd: ["c"], asked: ["a"], command: [], expected: ["a"]),
        Words(entrypoint: ["e"], cmd: ["c"], asked: ["a"], command: ["x"], expected: ["a", "x"]),
        Words(entrypoint: ["e"], cmd: ["c"], asked: [], command: ["x"], expected: ["x"]),
        Words(entrypoint: [], cmd: ["c"], command: [], expected: ["c"]),
        Words(entrypoint: ["e"], cmd: ["", "c"], command: [], expected: ["e", "", "c"]),
    ]

    @Test(arguments: table.indices) func `entrypoint and command combine as with Docker`(index: Int) throws {
        let row = Self.table[index]
        let merged = try merge {
            $0.entrypoint = row.entrypoint
            $0.cmd = row.cmd
        } _: {
            $0.entrypoint = row.asked
            $0.program = row.command.first ?? ""
            $0.arguments = Array(row.command.dropFirst())
        }
        #expect(merged.words == row.expected)
    }

    @Test func `an image that names no program wants one`() throws {
        for asked in [nil, [String]()] {
            let error = #expect(throws: SpecError.self) {
                try merge { $0.cmd = asked == nil ? nil : ["sh"] } _: { $0.entrypoint = asked }
            }
            #expect(error?.description.contains("neither ENTRYPOINT nor CMD") == true)
        }
        #expect(throws: SpecError.self) { try merge { $0.cmd = [""] } }
    }

    @Test func `what the spec says wins, field by field`() throws {
        let image: (inout ImageDefaults) -> Void = {
            $0.user = "app"
            $0.workingDirectory = "/srv/./app/"
            $0.stopSignal = "SIGQUIT"
            $0.env = ["A=1", "B=2"]
            $0.labels = ["a": "1", "b": "2"]
            $0.exposedPorts = [ContainerPort("80/tcp")!]
            $0.volumes = ["/data"]
            $0.healthcheck = Healthcheck(test: .shell("true"), interval: 5, retries: 2)
        }
        let plain = try merge(image)
        #expect(plain.user == "app" && plain.directory == "/srv/app" && plain.stopSignal == 3)
        #expect(plain.environment == ["A=1", "B=2"] && plain.labels == ["a": "1", "b": "2"])
        #expect(plain.exposedPorts == [ContainerPort("80/tcp")!])
        #expect(plain.mounts == [.volume(name: nil, target: "/data", isReadOnly: false)])
        #expect(plain.healthcheck == Healthcheck(test: .shell("true"), interval: 5, retries: 2))
        #expect(plain.image == ContainerImage("app", id: Self.id))
        let asked = try merge(image) {
            $0.user = "7"
            $0.directory = "/w"
            $0.stopSignal = 9
            $0.environment = ["B=3", "C=4"]
            $0.labels = ["b": "3"]
            $0.mounts = [.temporary(target: "/data/", bytes: nil)]
            $0.healthcheck = Healthcheck(test: .inherited, interval: 7)
        }
        #expect(asked.user == "7" && asked.directory == "/w" && asked.stopSignal == 9)
        #expect(asked.environment == ["A=1", "B=3", "C=4"] && asked.labels == ["a": "1", "b": "3"])
        #expect(asked.mounts == [.temporary(target: "/data/", bytes: nil)])
        #expect(asked.healthcheck == Healthcheck(test: .shell("true"), interval: 7, retries: 2))
    }

    @Test func `merging twice is merging once`() throws {
        var defaults = ImageDefaults()
        defaults.entrypoint = ["e"]
        defaults.cmd = ["c"]
        defaults.env = ["A=1"]
        defaults.volumes = ["/d"]
        defaults.exposedPorts = [ContainerPort("80/tcp")!]
        defaults.shell = ["/bin/zsh", "-c"]
        defaults.healthcheck = Healthcheck(test: .shell("true"))
        var spec = ContainerSpec(program: "")
        spec.image = ContainerImage("app")
        let once = try ImageDefaultsMerge.merge(spec, with: defaults, id: Self.id)
        #expect(once.healthcheck?.test == .command(["/bin/zsh", "-c", "true"]))
        #expect(try ImageDefaultsMerge.merge(once, with: defaults, id: Self.id) == once)
    }

    // Hostile configs: research 4.1 and 4.2.

    @Test func `a variable without a value is not taken from anywhere`() throws {
        // CVE-2026-57231
        #expect(try merge { $0.env = ["PATH", "AWS_SECRET", "=x", "A=1"] }.environment == ["A=1"])
    }

    @Test func `labels are data and set nothing`() throws {
        // CVE-2026-53488
        let merged = try merge { $0.labels = ["forkless.restart": "always", "privileged": "true", "io.runtime": "x"] }
        var plain = try merge { _ in }
        plain.labels = merged.labels
        #expect(merged == plain)
    }

    @Test(arguments: ["", "/", "//", "/.", "/..", "/../..", "data", "../x"])
    func `a volume that is no path below the root is refused`(path: String) {
        // CVE-2022-23648
        let error = #expect(throws: SpecError.self) { try merge { $0.volumes = [path] } }
        #expect(error?.description.contains("VOLUME") == true)
    }

    @Test func `a volume's path is cleaned, and nothing is above the root`() throws {
        let merged = try merge { $0.volumes = ["/../../etc/./x", "/etc/x/"] }
        #expect(merged.mounts == [.volume(name: nil, target: "/etc/x", isReadOnly: false)])
    }

    @Test func `a working directory that is no absolute path, and a stop signal that is none, are refused`() {
        #expect(throws: SpecError.self) { try merge { $0.workingDirectory = "srv" } }
        #expect(throws: SpecError.self) { try merge { $0.stopSignal = "SIGNOTHING" } }
        #expect(throws: SpecError.self) { try merge { $0.stopSignal = "99" } }
    }
}
