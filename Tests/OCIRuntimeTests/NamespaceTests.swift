import JSON
import Linux
import TestKit
import Testing

/// Namespaces that a second container joins by their paths, and clocks of its own.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(3))) struct NamespaceTests {
    /// Replaces a kind's namespace by one of a process.
    private func join(_ config: inout JSONValue, _ kind: String, _ path: String) {
        config["linux", "namespaces"]?.array?.removeAll { $0["type"]?.string == kind }
        config["linux", "namespaces"]?.array?.append(["type": .string(kind), "path": .string(path)])
    }

    @Test func `a user namespace can be joined by its path, with its ids`() async throws {
        let stage = try RuntimeStage()
        try await CommandRunner.runQuietly(["chown", "-R", "100000:100000", stage.rootfs])
        let id = try await stage.sleeping("first") { config in
            config["linux", "namespaces"]?.array?.append(["type": "user"])
            for map in ["uidMappings", "gidMappings"] {
                config["linux", map] = [["containerID": 0, "hostID": 100_000, "size": 1000]]
            }
        }
        let path = "/proc/\(try await stage.pid(id))/ns/user"
        let outcome = try await stage.shell(
            "readlink /proc/self/ns/user; id -u; touch /made; echo x > /dev/null && echo null"
        ) {
            join(&$0, "user", path)
            $0["linux", "cgroupsPath"] = .string("/\(stage.name)-second")
        }
        #expect(outcome.text == "\(try Files.link(path))\n0\nnull\n", "\(outcome.text)\(outcome.errorText)")
        #expect(try Files.status(stage.rootfs + "/made").owner == 100_000)
    }

    @Test func `a kernel parameter of a namespace that is the runtime's own is refused`() async throws {
        let stage = try RuntimeStage()
        let file = "/proc/sys/kernel/shm_rmid_forced"
        // What it is already: nothing would change.
        let value = try Files.readText(file)
        let outcome = try await stage.shell("true") {
            join(&$0, "ipc", "/proc/self/ns/ipc")
            $0["linux", "sysctl"] = ["kernel.shm_rmid_forced": .string(value)]
        }
        #expect(
            outcome.status == .exited(1)
                && outcome.errorText.contains(
                    "linux.sysctl.kernel.shm_rmid_forced: the ipc namespace /proc/self/ns/ipc is the runtime's own"),
            "\(outcome.errorText)")
        #expect(try await stage.demand("list", "--quiet") == "")
        // That of another container is the containers' own.
        let id = try await stage.sleeping("first")
        let path = "/proc/\(try await stage.pid(id))/ns/ipc"
        let joined = try await stage.shell("cat \(file)") {
            join(&$0, "ipc", path)
            $0["linux", "sysctl"] = ["kernel.shm_rmid_forced": "1"]
            $0["linux", "cgroupsPath"] = .string("/\(stage.name)-second")
        }
        #expect(joined.text == "1\n", "\(joined.text)\(joined.errorText)")
        #expect(try Files.readText(file) == value)
    }

    @Test func `a time namespace can be joined by its path, with its clocks`() async throws {
        let stage = try RuntimeStage()
        let id = try await stage.sleeping("first") { config in
            config["linux", "namespaces"]?.array?.append(["type": "time"])
            config["linux", "timeOffsets"] = ["boottime": ["secs": 20_000_000, "nanosecs": 0]]
        }
        let path = "/proc/\(try await stage.pid(id))/ns/time"
        let outcome = try await stage.shell("readlink /proc/self/ns/time; cat /proc/uptime") {
            join(&$0, "time", path)
            $0["linux", "cgroupsPath"] = .string("/\(stage.name)-second")
        }
        let lines = outcome.text.split(separator: "\n").map(String.init)
        let name = try Files.link(path)
        #expect(lines.first == name, "\(outcome.errorText)")
        #expect(lines.last?.split(separator: ".").first.flatMap { Int($0) } ?? 0 > 20_000_000, "\(lines)")
        let exec = try await stage.demand("exec", id, "cat", "/proc/uptime")
        #expect(exec.split(separator: ".").first.flatMap { Int($0) } ?? 0 > 20_000_000, "\(exec)")
    }

    @Test func `clocks of a time namespace are ahead or behind as far as written, to the nanosecond`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.python("print(open('/proc/self/timens_offsets').read())") { config in
            config["linux", "namespaces"]?.array?.append(["type": "time"])
            config["linux", "timeOffsets"] = [
                "monotonic": ["secs": 86_400, "nanosecs": 123_456_789], "boottime": ["secs": -1, "nanosecs": 5],
            ]
        }
        let rows = outcome.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows.contains(["monotonic", "86400", "123456789"]), "\(outcome.text)\(outcome.errorText)")
        #expect(rows.contains(["boottime", "-1", "5"]), "\(outcome.text)")
    }

    @Test func `a mount namespace can be joined by its path: the root is changed in it for this container alone`()
        async throws
    {
        let stage = try RuntimeStage()
        let id = try await stage.sleeping("first")
        let path = "/proc/\(try await stage.pid(id))/ns/mnt"
        // Its root is looked for in that namespace, where the first container's own tree is all there is.
        let script = """
            exec unshare --mount --propagation private sh -c 'sleep 1000 & echo $!; wait'
            """
        let holder = try await CommandRunner.run([
            "sh", "-c", "(\(script)) >\(stage.directory.path("holder")) 2>/dev/null & echo $!",
        ])
        let group = holder.text.split(separator: "\n").first.map(String.init) ?? ""
        let pid = try await eventuallySome("a process with a mount namespace") {
            let text = try? Files.readText(stage.directory.path("holder"))
            return text.flatMap { $0.isEmpty ? nil : $0.split(separator: "\n").first.map(String.init) }
        }
        let place = "/proc/\(pid)/ns/mnt"
        let name = try Files.link(place)
        let outcome = try await stage.shell("readlink /proc/self/ns/mnt; ls /") {
            join(&$0, "mount", place)
            $0["linux", "cgroupsPath"] = .string("/\(stage.name)-second")
        }
        let lines = outcome.text.split(separator: "\n").map(String.init)
        #expect(
            lines.first == name && lines.contains("bin") && !lines.contains("boot"),
            "\(outcome.text)\(outcome.errorText)")
        // Everybody else in it keeps his root.
        #expect(try Files.list("/proc/\(pid)/root").contains("boot"))
        for number in [pid, group] { _ = try? ProcessFD(pid: Int32(number) ?? 0).signal(Signal.kill) }
        #expect(Files.exists(path))
    }
}
