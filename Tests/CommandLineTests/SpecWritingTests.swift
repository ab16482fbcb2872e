import ArgumentParser
import Engine
import Linux
import Testing

@testable import CommandLine

/// From arguments as they are typed to the spec that the node gets.
@Suite struct SpecWritingTests {
    private struct Flags: ParsableArguments {
        @OptionGroup var held: RunFlags
        @OptionGroup var place: PlaceFlags
    }

    private func spec(_ arguments: String..., files: [String: String] = [:]) throws -> ContainerSpec {
        let flags = try Flags.parse(arguments)
        let surroundings = FlagSurroundings(
            workingDirectory: "/work", variable: { $0 == "HOME" ? "/root" : nil },
            readFile: { path throws(SystemError) in
                guard let text = files[path] else { throw SystemError("open", path, code: .noEntry) }
                return text
            })
        var spec = ContainerSpec(program: "true")
        try flags.held.write(to: &spec)
        try flags.place.write(to: &spec, in: surroundings)
        return spec
    }

    @Test func `without flags the spec is the default one`() throws {
        #expect(try spec() == ContainerSpec(program: "true"))
    }

    @Test func `Docker's letters mean what they mean there`() throws {
        var expected = ContainerSpec(program: "true")
        expected.isInteractive = true
        expected.hasTerminal = true
        expected.removesOnExit = true
        expected.environment = ["A=1", "HOME=/root"]
        expected.mounts = [.bind(source: "/work/./in", target: "/in", isReadOnly: true)]
        expected.madeSources = ["/work/./in"]
        expected.directory = "/in"
        expected.user = "nobody:65534"
        expected.hostname = "box"
        expected.name = "trade"
        expected.labels = ["desk": "rates"]
        #expect(
            try spec(
                "-it", "--rm", "-e", "A=1", "-e", "HOME", "-v", "./in:/in:ro", "-w", "/in", "-u", "nobody:65534", "-h", "box",
                "--name", "trade", "-l", "desk=rates") == expected)
    }

    @Test func `limits come in the units of the spec`() throws {
        let limited = try spec(
            "--memory", "512m", "--cpus", "1.5", "--pids-limit", "64", "--cpuset-cpus", "0,1", "--ulimit", "nofile=64:128",
            "--stop-signal", "INT", "--stop-timeout", "3", "--log-size", "1m")
        #expect(limited.memoryBytes == 512 << 20)
        #expect(limited.milliCPUs == 1500)
        #expect(limited.pidsLimit == 64)
        #expect(limited.cpus == "0-1")
        #expect(limited.limits == [ContainerLimit(name: "nofile", soft: 64, hard: 128)])
        #expect(limited.stopSignal == 2)
        #expect(limited.stopTimeoutSeconds == 3)
        #expect(limited.logBytes == 1 << 20)
    }

    @Test func `no limit is written as Docker writes it`() throws {
        let unlimited = try spec("--memory", "0", "--pids-limit", "-1")
        #expect(unlimited.memoryBytes == nil)
        #expect(unlimited.pidsLimit == 0)
    }

    @Test func `isolation is opened by request only`() throws {
        let open = try spec(
            "--network", "host", "--cap-add", "NET_RAW", "--cap-drop", "cap_chown", "--security-opt", "seccomp=unconfined",
            "--security-opt", "no-new-privileges=false", "--read-only", "--tmpfs", "/run:size=1m")
        #expect(open.network == .host)
        #expect(open.addedCapabilities == ["NET_RAW"])
        #expect(open.droppedCapabilities == ["cap_chown"])
        #expect(!open.hasSystemCallFilter)
        #expect(!open.noNewPrivileges)
        #expect(open.isReadOnly)
        #expect(open.mounts == [.temporary(target: "/run", bytes: 1 << 20)])
    }

    @Test func `the root is the machine's, a directory or a stack of them`() throws {
        #expect(try spec("--root", "host").root == .host)
        #expect(try spec("--root", "rootfs").root == .directory("/work/rootfs"))
        #expect(try spec("--overlay", "/top:base").root == .overlay(lower: ["/top", "/work/base"], upper: nil, work: nil))
    }

    @Test func `variables of a file come from that file`() throws {
        #expect(try spec("--env-file", "vars", files: ["vars": "A=1"]).environment == ["A=1"])
    }

    @Test(arguments: [
        (["--network", "container:"], "--network container:: no container is named. Write container:NAME."),
        (["--rung", "service"], "--rung service: there is no such rung. The rungs are process, container, function."),
        (["--cap-add", "FLY"], "--cap-add FLY: unknown capability"), (["-w", "tmp"], "-w tmp: not an absolute path"),
        (["--env-file", "gone"], "--env-file gone: open gone: No such file or directory (ENOENT)"),
        (["--root", "host", "--overlay", "/a"], "--overlay /a: there is a --root, too"),
        (["--name", ""], "--name \"\": the value is empty"), (["--pids-limit", "x"], "--pids-limit x: not a number"),
        (["--stop-timeout", "1.5"], "--stop-timeout 1.5: not a number of seconds"),
        (["--overlay", "/a::/b"], "--overlay /a::/b: a directory is empty"),
    ])
    func `a flag that cannot be used says which, why, and what to write`(arguments: [String], beginning: String) {
        let error = #expect(throws: FlagError.self) {
            let flags = try Flags.parse(arguments)
            var spec = ContainerSpec(program: "true")
            try flags.held.write(to: &spec)
            try flags.place.write(
                to: &spec,
                in: FlagSurroundings(
                    workingDirectory: "/", variable: { _ in nil },
                    readFile: { path throws(SystemError) in throw SystemError("open", path, code: .noEntry) }))
        }
        #expect(error?.description.hasPrefix(beginning) == true, "\(String(describing: error))")
    }
}
