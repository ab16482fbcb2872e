import JSON
import Linux
import TestKit
import Testing

@testable import OCI
@testable import OCIRuntime

/// Mounts with what their options say, seen from inside and outside.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(5))) struct MountTests {
    /// Starts a container with the directory "data" bound, in a mount namespace where that directory is a shared mount;
    /// mounts something there outside and inside, and says which is seen on the other side.
    private func seen(_ options: [String], _ change: (inout JSONValue) -> Void = { _ in }) async throws -> String {
        let stage = try RuntimeStage()
        let data = stage.directory.path("data")
        try Files.makeDirectories(data + "/sub")
        try Files.makeDirectories(data + "/inner")
        try stage.configure(["sleep", "1000"]) { config in
            config["mounts"]?.array?.append(["destination": "/data", "source": .string(data), "options": options.json])
            for set in ["bounding", "effective", "permitted"] {
                config["process", "capabilities", set] = ["CAP_SYS_ADMIN"]
            }
            change(&config)
        }
        let outcome = try await CommandRunner.run([
            "unshare", "--mount", "--propagation", "private", "sh", "-c",
            """
            mount --bind \(data) \(data) && mount --make-shared \(data)
            \(stage.call) create --bundle \(stage.bundle) \(stage.id()) </dev/null >/dev/null 2>\(stage.directory.path("errors")) || exit 1
            \(stage.call) start \(stage.id())
            mount -t tmpfs none \(data)/sub; touch \(data)/sub/file
            \(stage.call) exec \(stage.id()) sh -c 'test -e /data/sub/file && echo in; mount -t tmpfs none /data/inner && touch /data/inner/file'
            test -e \(data)/inner/file && echo out
            \(stage.call) exec \(stage.id()) grep ' /data ' /proc/self/mountinfo
            \(stage.call) delete --force \(stage.id())
            """,
        ])
        let problem = (try? Files.readText(stage.directory.path("errors"))) ?? ""
        #expect(outcome.status.isSuccess && problem.isEmpty, "\(problem)\(outcome.errorText)")
        return outcome.text
    }

    @Test func `a bind that is shared carries mounts both ways`() async throws {
        let text = try await seen(["rbind", "rshared"])
        #expect(text.hasPrefix("in\nout\n") && text.contains(" shared:"), "\(text)")
    }

    @Test func `a bind that is a slave carries mounts in alone`() async throws {
        for options in [["rbind", "rslave"], ["rbind"]] {
            let text = try await seen(options)
            #expect(
                text.hasPrefix("in\n") && !text.contains("out\n") && text.contains(" master:"), "\(options): \(text)")
        }
    }

    @Test func `a bind that is private or unbindable carries none`() async throws {
        let text = try await seen(["rbind", "rprivate"])
        #expect(
            !text.hasPrefix("in") && !text.contains("out\n") && !text.contains(" master:") && !text.contains(" shared:")
        )
        let unbindable = try await seen(["bind", "unbindable"])
        #expect(!unbindable.contains("in\n") && unbindable.contains(" unbindable "), "\(unbindable)")
    }

    @Test(
        arguments: [
            ("shared", " shared:"), ("rslave", " master:"), ("private", nil), ("unbindable", " unbindable "),
        ] as [(String, String?)])
    func `the root's propagation is as written`(_ word: String, _ mark: String?) async throws {
        let text = try await seen(["rbind"]) { $0["linux", "rootfsPropagation"] = .string(word) }
        #expect(text.contains(" /data "), "\(text)")
        let stage = try RuntimeStage()
        let outcome = try await stage.shell("grep ' / / ' /proc/self/mountinfo || grep ' / rw' /proc/self/mountinfo") {
            $0["linux", "rootfsPropagation"] = .string(word)
        }
        let root = outcome.text.split(separator: "\n").last.map(String.init) ?? ""
        if let mark, mark != " master:" { #expect(root.contains(mark), "\(outcome.text)\(outcome.errorText)") }
        if mark == nil { #expect(!root.contains("shared:") && !root.contains("master:"), "\(root)") }
    }

    @Test func `options of a file system may be longer than 255 bytes`() async throws {
        let stage = try RuntimeStage()
        let long = String(repeating: "x", count: 200)
        for name in ["one", "two"] { try stage.directory.write(name, to: "\(long)/\(name)/\(name)") }
        let lower = ["one", "two"].map { stage.directory.path("\(long)/\($0)") }.joined(separator: ":")
        #expect(lower.utf8.count > 400)
        let outcome = try await stage.shell("cat /data/one /data/two; touch /data/x") { config in
            config["mounts"]?.array?.append([
                "destination": "/data", "type": "overlay", "source": "overlay",
                "options": ["nosuid", .string("lowerdir=\(lower)")],
            ])
        }
        #expect(
            outcome.text == "onetwo" && outcome.errorText.contains("Read-only"), "\(outcome.text)\(outcome.errorText)")
    }

    @Test func `a bind is mapped with what is mounted below it, by its own maps or by the container's`() async throws {
        let stage = try RuntimeStage()
        try await CommandRunner.runQuietly(["chown", "-R", "100000:100000", stage.rootfs])
        try stage.directory.write("mine", to: "data/file")
        let user = { (config: inout JSONValue) in
            config["linux", "namespaces"]?.array?.append(["type": "user"])
            for map in ["uidMappings", "gidMappings"] {
                config["linux", map] = [["containerID": 0, "hostID": 100_000, "size": 1000]]
            }
        }
        let data = stage.directory.path("data")
        // On the machine the file is root's, and so it is inside, and what is made inside is root's outside.
        let outcome = try await stage.shell("ls -ln /data/file; touch /data/made") { config in
            user(&config)
            config["mounts"]?.array?.append([
                "destination": "/data", "source": .string(data), "options": ["bind", "idmap"],
            ])
        }
        #expect(outcome.text.contains(" 0        0 "), "\(outcome.text)\(outcome.errorText)")
        #expect(try Files.status(data + "/made").owner == 0)
        // Below it a tmpfs: mapped by "ridmap", not by "idmap".
        for (option, owner) in [("ridmap", "7000"), ("idmap", "0")] {
            let script = """
                mount -t tmpfs none \(data) && mkdir \(data)/sub && mount -t tmpfs none \(data)/sub && touch \(data)/sub/file \
                && exec \(stage.call) run --bundle \(stage.bundle) \(stage.id())
                """
            try stage.configure(["ls", "-ln", "/data/sub/file"]) { config in
                let map: JSONValue = [["containerID": 0, "hostID": 7000, "size": 10]]
                config["mounts"]?.array?.append([
                    "destination": "/data", "source": .string(data), "options": ["rbind", .string(option)],
                    "uidMappings": map, "gidMappings": map,
                ])
            }
            let below = try await CommandRunner.run([
                "unshare", "--mount", "--propagation", "private", "sh", "-c", script,
            ])
            #expect(
                below.text.split(separator: " ").dropFirst(2).first.map(String.init) == owner,
                "\(below.text)\(below.errorText)")
        }
    }

    @Test func `a mount's label goes to the file systems whose files have none of their own`() throws {
        for (type, isLabelled) in [
            ("tmpfs", true), ("devpts", true), ("overlay", true), ("proc", false), ("sysfs", false), ("mqueue", false),
            ("cgroup", false),
        ] {
            let text = #"{"ociVersion":"1.2.0","mounts":[{"destination":"/x","type":"\#(type)","source":"none"}]}"#
            let spec = try RuntimeSpec(Array(text.utf8))
            let plan = MountPlan(spec.mounts[0], bundle: "/b", isUnified: true, label: "system_u:object_r:x_t:s0:c1,c2")
            guard case .made(let made) = plan.kind else {
                Issue.record("\(plan.kind)")
                continue
            }
            #expect(
                made.options.contains { $0.key == "context" && $0.value == "system_u:object_r:x_t:s0:c1,c2" }
                    == isLabelled, "\(type)")
        }
    }

    @Test func `a mount's label is refused where SELinux is off`() async throws {
        guard !Files.exists("/sys/fs/selinux/enforce") else { return }
        let stage = try RuntimeStage()
        let outcome = try await stage.shell("true") {
            $0["linux", "mountLabel"] = "system_u:object_r:container_file_t:s0"
        }
        #expect(outcome.status == .exited(1) && outcome.errorText.contains("linux.mountLabel: SELinux is not enabled"))
    }
}
