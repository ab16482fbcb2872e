import JSON
import Linux
import TestKit
import Testing

/// More of the attacks that got out of other runtimes: those by what a configuration or an image says.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(4))) struct ConfiguredAttackTests {
    @Test func `CVE-2019-5736: the runtime's file cannot be written from inside, at the start and by exec`()
        async throws
    {
        let stage = try RuntimeStage()
        let before = try Files.read(stage.executable, limit: 1 << 30)
        // A process of ours that joins is looked for through /proc while exec runs again and again.
        let id = stage.id()
        try stage.configure([
            "sh", "-c",
            "while :; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] || (echo x > $p/exe) 2>/dev/null && echo written $p; done; done",
        ])
        try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
        try await stage.demand("start", id)
        for _ in 0..<30 { try await stage.demand("exec", id, "true") }
        try await stage.demand("delete", "--force", id)
        #expect(try Files.read(stage.executable, limit: 1 << 30) == before)
    }

    @Test(arguments: ["/proc/self/attr", "/proc/self", "/proc/sys/kernel", "/proc/1", "/proc/../proc/self"])
    func `CVE-2019-16884: nothing is mounted over the kernel's word in proc`(_ destination: String) async throws {
        let stage = try RuntimeStage()
        let data = stage.directory.path("data")
        try Files.makeDirectories(data)
        for mount: JSONValue in [
            ["destination": .string(destination), "source": .string(data), "options": ["bind"]],
            ["destination": .string(destination), "type": "tmpfs", "source": "tmpfs"],
        ] {
            let outcome = try await stage.shell("true") { $0["mounts"]?.array?.append(mount) }
            #expect(outcome.status == .exited(1) && outcome.errorText.contains("inside /proc"), "\(outcome.errorText)")
        }
    }

    @Test func `CVE-2019-19921: another volume at proc itself is refused, whether bound or made`() async throws {
        let stage = try RuntimeStage()
        let data = stage.directory.path("data")
        try Files.makeDirectories(data)
        for mount: JSONValue in [
            ["destination": "/proc", "source": .string(data), "options": ["bind"]],
            ["destination": "/proc", "type": "tmpfs", "source": "tmpfs"],
        ] {
            let outcome = try await stage.shell("true") { config in
                config["mounts"]?.array?.removeAll { $0["destination"]?.string == "/proc" }
                config["mounts"]?.array?.insert(mount, at: 0)
            }
            #expect(outcome.status == .exited(1), "\(outcome.text)")
        }
    }

    @Test func `CVE-2025-52565: the terminal is shown at no place that a link leads to`() async throws {
        let stage = try RuntimeStage()
        try stage.directory.write("victim", to: "victim")
        let victim = stage.directory.path("victim")
        // The root brings its own /dev, with links where the runtime shows its terminal.
        for target in [victim, "/proc/sys/kernel/core_pattern", "../../../../../../../..\(victim)"] {
            try await CommandRunner.runQuietly(["rm", "-f", stage.rootfs + "/dev/console"])
            try RuntimeStage.link("console", in: stage.rootfs + "/dev", to: target)
            try stage.configure(["sh", "-c", "echo typed > /dev/console"]) { config in
                config["process", "terminal"] = true
                config["mounts"]?.array?.removeAll { $0["destination"]?.string == "/dev" }
            }
            _ = try await stage("run", "--bundle", stage.bundle, stage.id())
            #expect(try Files.readText(victim) == "victim", "\(target)")
            #expect(try !Files.readText("/proc/sys/kernel/core_pattern").contains("typed"))
        }
        let mounts = try Files.readText("/proc/self/mountinfo")
        #expect(!mounts.contains(stage.directory.path))
    }

    @Test func `CVE-2024-40635: ids are exactly those that are written, or an error`() async throws {
        let stage = try RuntimeStage()
        for id in ["2147483648", "4294967294"] {
            let outcome = try await stage.shell("id -u; id -g") {
                $0["process", "user"] = ["uid": JSONValue(numberText: id)!, "gid": JSONValue(numberText: id)!]
            }
            #expect(outcome.text == "\(id)\n\(id)\n", "\(outcome.text)\(outcome.errorText)")
        }
        for id in ["4294967295", "4294967296", "99999999999", "-1", "1.5"] {
            let outcome = try await stage.shell("id -u") {
                $0["process", "user"] = ["uid": JSONValue(numberText: id)!, "gid": 0]
            }
            #expect(
                outcome.status == .exited(1) && outcome.text == "" && outcome.errorText.contains("process.user.uid"),
                "\(outcome.text)")
        }
    }

    @Test func `CVE-2022-2989, CVE-2023-25173: a process has the groups that are written and no others`() async throws {
        let stage = try RuntimeStage()
        for (groups, expected) in [([], "7\n"), ([5, 6], "7 5 6\n")] as [([Int64], String)] {
            let outcome = try await stage.shell("id -G") {
                $0["process", "user"] = [
                    "uid": 1000, "gid": 7, "additionalGids": .array(groups.map(JSONValue.integer)),
                ]
            }
            #expect(outcome.text == expected, "\(outcome.text)\(outcome.errorText)")
        }
    }

    @Test func `a root whose file systems are links or files is refused or kept inside`() async throws {
        for name in ["proc", "sys", "dev"] {
            let stage = try RuntimeStage()
            let victim = stage.directory.path("victim")
            try Files.makeDirectories(victim)
            for target in [victim, "../../../../../..\(victim)", "/proc/1/root", "."] {
                try await CommandRunner.runQuietly(["rm", "-rf", stage.rootfs + "/" + name])
                try RuntimeStage.link(name, in: stage.rootfs, to: target)
                let outcome = try await stage.shell("true")
                #expect(outcome.status == .exited(1), "\(name) -> \(target)")
                #expect(try Files.list(victim) == [])
            }
            try await CommandRunner.runQuietly(["rm", "-rf", stage.rootfs + "/" + name])
            try stage.directory.write("", to: "bundle/rootfs/" + name)
            #expect(try await stage.shell("true").status == .exited(1), "\(name) is a file")
            #expect(try await stage.demand("list", "--quiet") == "")
        }
    }

    @Test func `a root that is exchanged during the start stays the one that was opened`() async throws {
        let stage = try RuntimeStage()
        let victim = stage.directory.path("bundle/other")
        try Files.makeDirectories(victim)
        let swapper = try await CommandRunner.startSwapping(
            "rootfs", "other", in: stage.bundle, until: stage.directory.path("stop"))
        var successes = 0
        for _ in 0..<40 {
            let outcome = try await stage.shell("ls /")
            // The whole tree, or a refusal: nothing of both.
            if outcome.status.isSuccess {
                successes += 1
                #expect(outcome.text.contains("bin"), "\(outcome.text)")
            }
        }
        try stage.directory.write("", to: "stop")
        _ = await swapper.value
        #expect(try await stage.demand("list", "--quiet") == "")
        let mounts = try Files.readText("/proc/self/mountinfo")
        #expect(!mounts.contains(stage.directory.path), "\(successes)")
    }
}
