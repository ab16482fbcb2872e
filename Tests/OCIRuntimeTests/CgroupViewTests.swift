import JSON
import Linux
import TestKit
import Testing

/// Machines with cgroup v2 alone, or v1 alone: mount namespaces in which only that is mounted.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(3))) struct CgroupViewTests {
    /// Runs a script where /sys/fs/cgroup is as `view` makes it.
    private func seeing(_ view: String, _ stage: RuntimeStage, _ script: String) async throws -> CommandRunner.Outcome {
        try await CommandRunner.run([
            "unshare", "--mount", "--propagation", "private", "sh", "-c", "{ \(view); } && \(script)",
        ])
    }

    private static let unified = "umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup"
    private static let legacy =
        "for m in $(grep ' cgroup2 ' /proc/self/mounts | cut -d' ' -f2); do umount $m || exit 1; done"

    /// A life: created, started, joined, frozen, listed, killed with all that is in it, deleted.
    private func life(_ stage: RuntimeStage) -> String {
        let (call, id) = (stage.call, stage.id())
        return """
            \(call) create --bundle \(stage.bundle) \(id) </dev/null >/dev/null 2>\(stage.directory.path("errors")) || exit 11
            \(call) start \(id) || exit 12
            cat /proc/$(\(call) ps --format json \(id) | tr -d '[]')/cgroup
            \(call) exec \(id) sh -c 'grep cgroup /proc/self/mounts; cat /proc/self/cgroup; cat /dev/fkdenied; echo x >/dev/null && echo null'
            \(call) pause \(id) && \(call) state \(id) | grep -o paused; \(call) resume \(id) || exit 13
            \(call) events --stats \(id) >/dev/null || exit 14
            \(call) kill --all \(id) KILL || exit 15
            \(call) delete --force \(id)
            """
    }

    private func configure(_ stage: RuntimeStage, _ change: (inout JSONValue) -> Void = { _ in }) throws {
        try stage.configure(["sleep", "1000"]) { config in
            // Made, and not allowed to be opened: /dev/kmsg.
            config["linux", "devices"] = [["path": "/dev/fkdenied", "type": "c", "major": 1, "minor": 11]]
            for set in ["bounding", "effective", "permitted"] {
                config["process", "capabilities", set] = ["CAP_SYSLOG", "CAP_DAC_OVERRIDE"]
            }
            change(&config)
        }
    }

    @Test func `with v2 alone a container has a group there, its devices by a program, and lives as elsewhere`()
        async throws
    {
        let stage = try RuntimeStage()
        try configure(stage) { $0["linux", "resources"] = ["unified": ["cgroup.max.depth": "3"]] }
        let outcome = try await seeing(Self.unified, stage, life(stage))
        #expect(
            outcome.status.isSuccess,
            "\(outcome.status) \(outcome.errorText)\((try? Files.readText(stage.directory.path("errors"))) ?? "")")
        let lines = outcome.text.split(separator: "\n").map(String.init)
        #expect(lines.contains("0::/\(stage.name)"), "\(outcome.text)")
        #expect(
            lines.contains {
                $0.hasPrefix("cgroup2 /sys/fs/cgroup cgroup2 ro,") || $0.contains(" /sys/fs/cgroup cgroup2 ro")
            }, "\(outcome.text)")
        #expect(lines.contains("0::/") && lines.contains("null") && lines.contains("paused"), "\(outcome.text)")
        #expect(outcome.errorText.contains("/dev/fkdenied': Operation not permitted"), "\(outcome.errorText)")
    }

    @Test func `with v2 alone a limit without its controller is refused before anything is made`() async throws {
        let stage = try RuntimeStage()
        try configure(stage) { $0["linux", "resources"] = ["network": ["classID": 5]] }
        let outcome = try await seeing(Self.unified, stage, "\(stage.call) run --bundle \(stage.bundle) \(stage.id())")
        #expect(outcome.status == .exited(1) && outcome.errorText.contains("net_cls"), "\(outcome.errorText)")
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `with v1 alone a container has a group in every hierarchy, and lives as elsewhere`() async throws {
        let hierarchies = try Files.readText("/proc/self/mounts").split(separator: "\n").filter {
            $0.contains(" cgroup ")
        }
        // A machine with v2 alone has none to show.
        guard !hierarchies.isEmpty else { return }
        let stage = try RuntimeStage()
        try configure(stage) { $0["linux", "resources"] = ["pids": ["limit": 30]] }
        let outcome = try await seeing(Self.legacy, stage, life(stage))
        #expect(
            outcome.status.isSuccess,
            "\(outcome.status) \(outcome.errorText)\((try? Files.readText(stage.directory.path("errors"))) ?? "")")
        let lines = outcome.text.split(separator: "\n").map(String.init)
        #expect(lines.filter { $0.hasSuffix(":/\(stage.name)") }.count == hierarchies.count, "\(outcome.text)")
        #expect(
            lines.contains("null") && lines.contains("paused") && !lines.contains { $0.contains(" cgroup2 ") },
            "\(outcome.text)")
        #expect(outcome.errorText.contains("/dev/fkdenied': Operation not permitted"), "\(outcome.errorText)")
    }

    @Test(arguments: ["true", CgroupViewTests.legacy])
    func `a group with somebody else's process is refused, and left as it is`(_ view: String) async throws {
        let stage = try RuntimeStage()
        try stage.configure(["true"])
        let group = "/sys/fs/cgroup"
        let outcome = try await seeing(
            view, stage,
            """
            for d in \(group) \(group)/*; do [ -e $d/cgroup.procs ] && mkdir $d/\(stage.name); done
            sleep 1000 </dev/null >/dev/null 2>&1 & for d in \(group) \(group)/*; do
            [ -e $d/\(stage.name)/cgroup.procs ] && { [ -e $d/\(stage.name)/cpuset.cpus ] && for f in cpus mems; do
            cat $d/cpuset.$f > $d/\(stage.name)/cpuset.$f; done; echo $! > $d/\(stage.name)/cgroup.procs; }; done
            \(stage.call) run --bundle \(stage.bundle) \(stage.id()); echo rc $?
            sleep 0.1; kill -0 $! && echo lives; kill -9 $!; wait $!
            for d in \(group) \(group)/*; do [ -e $d/\(stage.name) ] && rmdir $d/\(stage.name); done; true
            """)
        #expect(
            outcome.text == "rc 1\nlives\n" && outcome.errorText.contains("not the container's"),
            "\(outcome.text)\(outcome.errorText)")
    }

    @Test func `without a cgroup namespace a program sees its own group, read-only`() async throws {
        let stage = try RuntimeStage()
        // CVE-2023-25809: the machine's groups cannot be written from there.
        let outcome = try await stage.shell(
            "cat /proc/self/cgroup; for d in /sys/fs/cgroup/* /sys/fs/cgroup; do busybox mkdir $d/x && echo made; done"
        ) {
            $0["linux", "namespaces"]?.array?.removeAll { $0["type"]?.string == "cgroup" }
        }
        #expect(outcome.text.contains(":/\(stage.name)\n") && !outcome.text.contains("made"), "\(outcome.text)")
        #expect(outcome.errorText.contains("Read-only file system"))
    }

    @Test func `CVE-2022-0492: a program cannot have a release agent run on the machine`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell(
            """
            busybox unshare -U -r -m -C sh -c 'busybox mkdir -p /tmp/c; for o in memory rdma cpu misc; do \
            mount -t cgroup -o $o none /tmp/c && echo /tmp/agent > /tmp/c/release_agent && echo escaped; done'; true
            """)
        #expect(!outcome.text.contains("escaped"), "\(outcome.text)\(outcome.errorText)")
    }
}
