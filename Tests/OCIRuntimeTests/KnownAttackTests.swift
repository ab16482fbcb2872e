import Glibc
import JSON
import Linux
import TestKit
import Testing

/// The attacks that got out of other runtimes, each by its number.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(8))) struct KnownAttackTests {
    @Test func `CVE-2019-5736: a process that waits in a container runs from where nobody can write`() async throws {
        let stage = try RuntimeStage()
        let id = stage.id()
        try stage.configure(["sleep", "1000"])
        try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
        let exe = "/proc/\(try await stage.pid(id))/exe"
        #expect(try Files.status(exe).inode == Files.status(stage.executable).inode)
        // Held until nobody runs it any more, which is when ETXTBSY is no protection.
        let held = try Files.open(exe, 0o10_000_000)
        try await stage.demand("delete", "--force", id)
        let error = #expect(throws: SystemError.self) { _ = try Files.open("/proc/self/fd/\(held.raw)", O_WRONLY) }
        #expect(error?.code == .readOnlyFileSystem)
    }

    @Test func `CVE-2019-5736: a program that is this runtime's own file is not executed`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["/proc/self/exe"])
        let outcome = try await stage("run", "--bundle", stage.bundle, stage.id())
        #expect(outcome.status == .exited(1))
    }

    @Test func `CVE-2016-9962: a process on its way into a container cannot be looked into`() async throws {
        let stage = try RuntimeStage()
        let id = stage.id()
        try stage.configure(["sleep", "1000"]) { $0["process", "user"] = ["uid": 1000, "gid": 1000] }
        try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
        // What is not dumpable belongs to root, proc(5), though the process is the user's by now.
        let status = try Files.status("/proc/\(try await stage.pid(id))/status")
        #expect(status.owner == 0)
    }

    @Test(arguments: 3...12) func `CVE-2024-21626: a working directory behind a descriptor is refused`(_ number: Int)
        async throws
    {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell("pwd; ls ../../..") {
            $0["process", "cwd"] = .string("/proc/self/fd/\(number)")
        }
        #expect(outcome.status == .exited(1) && outcome.text == "", "\(outcome.text)")
    }

    @Test func `CVE-2024-21626: no descriptor but the streams reaches the program`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["sh", "-c", "ls /proc/self/fd"])
        let outcome = try await CommandRunner.run([
            "sh", "-c",
            "exec 5</ 7</etc 9>/dev/null; exec \(stage.executable) --root \(stage.state) run --bundle \(stage.bundle) \(stage.id())",
        ])
        // The fourth is that of the directory being listed.
        #expect(outcome.text.split(separator: "\n") == ["0", "1", "2", "3"], "\(outcome.text)\(outcome.errorText)")
    }

    @Test func `descriptors that are to be preserved reach the program and no others`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["sh", "-c", "cat <&4; ls /proc/self/fd"])
        let outcome = try await CommandRunner.run([
            "sh", "-c",
            "echo kept > \(stage.directory.path("kept")); exec 3</dev/null 4<\(stage.directory.path("kept")) 5</etc; exec \(stage.executable) --root \(stage.state) run --preserve-fds 2 --bundle \(stage.bundle) \(stage.id())",
        ])
        #expect(
            outcome.text.split(separator: "\n") == ["kept", "0", "1", "2", "3", "4", "5"],
            "\(outcome.text)\(outcome.errorText)")
        let missing = try await stage("run", "--preserve-fds", "3", "--bundle", stage.bundle, stage.id())
        #expect(missing.errorText.contains("is not open"))
    }

    @Test func `CVE-2025-31133: a null device that is a link is not what is masked with`() async throws {
        let stage = try RuntimeStage()
        try await CommandRunner.runQuietly(["rm", "-rf", stage.rootfs + "/dev"])
        try Files.makeDirectories(stage.rootfs + "/dev")
        try RuntimeStage.link("null", in: stage.rootfs + "/dev", to: "/proc/sys/kernel/core_pattern")
        let before = try Files.readText("/proc/sys/kernel/core_pattern")
        let outcome = try await stage.shell("cat /proc/keys; echo x > /proc/keys") { config in
            config["mounts"]?.array?.removeAll {
                ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"].contains($0["destination"]?.string)
            }
        }
        #expect(outcome.status == .exited(1), "\(outcome.text)")
        #expect(try Files.readText("/proc/sys/kernel/core_pattern") == before)
    }

    @Test(arguments: ["proc", "sys"])
    func `CVE-2019-19921, CVE-2023-27561, CVE-2025-52881: a kernel directory that is a link is refused`(_ name: String)
        async throws
    {
        let stage = try RuntimeStage()
        try Files.removeDirectory(stage.rootfs + "/" + name)
        try Files.makeDirectories(stage.rootfs + "/elsewhere")
        try RuntimeStage.link(name, in: stage.rootfs, to: "/elsewhere")
        let outcome = try await stage.shell("true")
        #expect(
            outcome.status == .exited(1) && outcome.errorText.contains("ordinary directory"), "\(outcome.errorText)")
    }

    @Test func `CVE-2026-41579, CVE-2026-47766: a device directory that is a link gets no devices outside`()
        async throws
    {
        let stage = try RuntimeStage()
        let victim = stage.directory.path("victim")
        try Files.makeDirectories(victim)
        try Files.removeDirectory(stage.rootfs + "/dev")
        try RuntimeStage.link("dev", in: stage.rootfs, to: victim)
        for keepsMount in [true, false] {
            _ = try await stage.shell("true") { config in
                guard !keepsMount else { return }
                config["mounts"]?.array?.removeAll { $0["destination"]?.string?.hasPrefix("/dev") ?? false }
            }
            #expect(try Files.list(victim) == [])
        }
    }

    @Test func `CVE-2024-45310, CVE-2025-24965: a mount target through a link stays inside the root`() async throws {
        let stage = try RuntimeStage()
        let victim = stage.directory.path("victim")
        try Files.makeDirectories(victim)
        try stage.directory.write("secret", to: "source")
        try RuntimeStage.link("link", in: stage.rootfs, to: victim)
        try RuntimeStage.link("up", in: stage.rootfs, to: "../../../../../../.." + victim)
        for target in ["/link/made", "/up/made", "/../../..\(victim)/made"] {
            _ = try await stage.shell("true") { config in
                config["mounts"]?.array?.append([
                    "destination": .string(target), "type": "bind", "source": .string(stage.directory.path("source")),
                    "options": ["bind"],
                ])
            }
            #expect(try Files.list(victim) == [], "\(target)")
        }
    }

    @Test func `CVE-2021-30465: a target that is exchanged for a link during the start stays inside the root`()
        async throws
    {
        let stage = try RuntimeStage()
        let victim = stage.directory.path("victim")
        try Files.makeDirectories(victim)
        try Files.makeDirectories(stage.rootfs + "/volume/dir")
        try RuntimeStage.link("link", in: stage.rootfs + "/volume", to: victim)
        let swapper = try await CommandRunner.startSwapping(
            "dir", "link", in: stage.rootfs + "/volume", until: stage.directory.path("stop"))
        for _ in 0..<40 {
            _ = try await stage.shell("true") { config in
                config["mounts"]?.array?.append([
                    "destination": "/volume/dir/made", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k"],
                ])
            }
        }
        try stage.directory.write("", to: "stop")
        _ = await swapper.value
        #expect(try Files.list(victim) == [])
    }

    @Test func `CVE-2026-55686: a working directory through a link is made inside the root`() async throws {
        let stage = try RuntimeStage()
        let victim = stage.directory.path("victim")
        try Files.makeDirectories(victim)
        try RuntimeStage.link("work", in: stage.rootfs, to: victim)
        _ = try await stage.shell("true") { $0["process", "cwd"] = "/work/made" }
        #expect(try Files.list(victim) == [])
    }

    @Test func `CVE-2022-29162, CVE-2022-27650: nothing is inheritable that was not asked for`() async throws {
        let stage = try RuntimeStage()
        let run = try await stage.shell("grep CapInh /proc/self/status")
        #expect(run.text == "CapInh:\t0000000000000000\n", "\(run.errorText)")
        let id = try await stage.sleeping("exec")
        let exec = try await stage.demand("exec", "--cap", "CAP_CHOWN", id, "grep", "Cap", "/proc/self/status")
        #expect(exec.contains("CapInh:\t0000000000000000") && exec.contains("CapEff:\t0000000000000021"), "\(exec)")
    }

    @Test func `CVE-2026-30892: the user of exec is exactly who was named, or an error`() async throws {
        let stage = try RuntimeStage()
        let id = try await stage.sleeping()
        #expect(try await stage.demand("exec", "--user", "1000:1001", id, "id").hasPrefix("uid=1000 gid=1001"))
        #expect(try await stage.demand("exec", "--user", "1000", id, "id").hasPrefix("uid=1000 gid=0"))
        for user in ["1000:", ":1000", "4294967295", "4294967296", "-1", "01000", "name", "+5", "0x10", " 1", "1:2:3"] {
            let outcome = try await stage("exec", "--user", user, id, "id")
            #expect(outcome.status == .exited(255) && outcome.text == "", "\(user)")
        }
    }

    @Test func `CVE-2021-43784: long arguments and environments arrive whole or are refused`() async throws {
        let stage = try RuntimeStage()
        for length in [65_535, 65_536, 65_537, 131_060] {
            let outcome = try await stage.shell("echo ${#LONG}") { config in
                config["process", "env"] = ["PATH=/bin", .string("LONG=" + String(repeating: "x", count: length))]
            }
            #expect(outcome.text == "\(length)\n", "\(outcome.errorText)")
        }
        let refused = try await stage.shell("true") { config in
            config["process", "env"] = [.string("LONG=" + String(repeating: "x", count: 3 << 20))]
        }
        #expect(refused.status == .exited(1))
    }

    @Test(arguments: [
        "kernel.core_pattern", "vm.swappiness", "net.ipv4/../../kernel/core_pattern", "net.ipv4.ip_forward\n1",
    ])
    func `CVE-2022-0811: a parameter that is the machine's is refused`(_ name: String) async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell("true") { $0["linux", "sysctl"] = [name: "1"] }
        #expect(outcome.status == .exited(1), "\(outcome.errorText)")
    }
}

extension CommandRunner {
    static func runQuietly(_ arguments: [String]) async throws { _ = try await run(arguments) }

    /// Exchanges two entries of a directory again and again until a file appears.
    static func startSwapping(
        _ one: String, _ other: String, in directory: String, until stop: String
    ) async throws -> Task<Void, Never> {
        let place = try Files.place(directory).release()
        return Task.detached {
            while !Files.exists(stop) {
                _ = try? FileEntries.exchange(one, other, at: place)
                await Task.yield()
            }
            close(place)
        }
    }
}
