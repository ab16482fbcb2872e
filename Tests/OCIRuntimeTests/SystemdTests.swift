import JSON
import Linux
import TestKit
import Testing

/// `--systemd-cgroup`: a container's cgroup is a scope of systemd's.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(4))) struct SystemdTests {
    private func path(_ stage: RuntimeStage) -> JSONValue { .string("\(slice(stage)):oci:\(stage.name)") }
    private func slice(_ stage: RuntimeStage) -> String { stage.name.replacing("-", with: "") + ".slice" }

    /// Where the machine has directories of that slice, with what is in them.
    private func leftovers(_ slice: String) throws -> [String] {
        try Mountinfo.parse(try Files.read("/proc/self/mountinfo", limit: 1 << 20))
            .filter { ["cgroup", "cgroup2"].contains($0.fileSystem) }
            .map { "\($0.mountPoint)/\(slice)" }.filter(Files.exists)
    }

    /// The hierarchies that systemd does not keep have the slice still, as with every runtime.
    private func removeSlices(_ slice: String) throws {
        for path in try leftovers(slice) { try Files.removeDirectory(path) }
    }

    private func withStage(_ body: (RuntimeStage, SystemdStandIn) async throws -> Void) async throws {
        let systemd = try SystemdStandIn()
        try await systemd.running {
            let stage = try RuntimeStage(
                options: ["--systemd-cgroup"], variables: ["DBUS_SYSTEM_BUS_ADDRESS=\(systemd.address)"])
            try await body(stage, systemd)
            try removeSlices(slice(stage))
        }
    }

    @Test func `a container's cgroup is a scope that systemd made, and goes with it`() async throws {
        try await withStage { stage, systemd in
            let place = "/\(slice(stage))/oci-\(stage.name).scope"
            let id = try await stage.sleeping { config in
                config["linux", "cgroupsPath"] = path(stage)
                config["linux", "resources"] = ["pids": ["limit": 20]]
                config["annotations"] = ["org.systemd.property.CollectMode": "'inactive-or-failed'"]
            }
            let pid = try await stage.pid(id)
            let cgroups = try Files.readText("/proc/\(pid)/cgroup").split(separator: "\n")
            #expect(!cgroups.isEmpty && cgroups.allSatisfy { $0.hasSuffix(":" + place) }, "\(cgroups)")
            let started = try #require(try systemd.calls().first { $0.hasPrefix("StartTransientUnit") })
            for words in [
                "oci-\(stage.name).scope", "('Slice', ('s', '\(slice(stage))'))", "('Delegate', ('b', True))",
                "('TasksMax', ('t', 20))", "('DevicePolicy', ('s', 'strict'))", "/dev/char/1:3",
                "('CollectMode', ('s', 'inactive-or-failed'))",
            ] {
                #expect(started.contains(words), "\(words): \(started)")
            }
            #expect(try await stage.demand("exec", id, "cat", "/proc/self/cgroup").contains(":/\n"))
            try await stage.demand("update", "--pids-limit", "30", id)
            #expect(
                try systemd.calls().contains {
                    $0.hasPrefix("SetUnitProperties") && $0.contains("('TasksMax', ('t', 30))")
                })
            let stats = try JSONParser.parse(try await stage.demand("events", "--stats", id))
            #expect(stats["data", "pids", "limit"]?.integer == 30, "\(stats)")
            try await stage.demand("delete", "--force", id)
            #expect(try systemd.calls().contains { $0.hasPrefix("StopUnit") })
            #expect(try leftovers(String(place.dropFirst())) == [])
        }
    }

    @Test func `a create that is killed at any instant leaves no scope after delete --force`() async throws {
        try await withStage { stage, systemd in
            try stage.configure(["sleep", "1000"]) { $0["linux", "cgroupsPath"] = path(stage) }
            for milliseconds in stride(from: 1, to: 40, by: 4) {
                let id = stage.id("k\(milliseconds)")
                _ = try await CommandRunner.run([
                    "sh", "-c",
                    """
                    \(stage.call) create --bundle \(stage.bundle) \(id) </dev/null >/dev/null 2>&1 &
                    pid=$!; sleep 0.0\(milliseconds < 10 ? "0" : "")\(milliseconds); kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null; true
                    """,
                ])
                try await stage.demand("delete", "--force", id)
                #expect(try leftovers("\(slice(stage))/oci-\(stage.name).scope") == [], "after \(milliseconds) ms")
            }
        }
    }

    @Test func `a path that names no scope is refused, and nothing is left`() async throws {
        try await withStage { stage, systemd in
            let outcome = try await stage.shell("true")
            #expect(
                outcome.status == .exited(1) && outcome.errorText.contains("SLICE:PREFIX:NAME"), "\(outcome.errorText)")
            #expect(try systemd.calls().allSatisfy { !$0.hasPrefix("StartTransientUnit") })
            #expect(try await stage.demand("list", "--quiet") == "")
        }
    }

    @Test func `where no systemd answers the error says so, and nothing is left`() async throws {
        let stage = try RuntimeStage(
            options: ["--systemd-cgroup"], variables: ["DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent/bus"])
        let outcome = try await stage.shell("true") { $0["linux", "cgroupsPath"] = path(stage) }
        #expect(
            outcome.status == .exited(1) && outcome.errorText.contains("the message bus cannot be reached"),
            "\(outcome.errorText)")
        #expect(try await stage.demand("list", "--quiet") == "")
    }
}
