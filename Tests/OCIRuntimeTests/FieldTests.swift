import Glibc
import JSON
import Linux
import TestKit
import Testing

/// What the fields of a configuration do, seen from inside.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(8))) struct FieldTests {
    @Test func `a program sees its own namespaces, name, root and cgroup`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell(
            "echo $$; hostname; grep -c . /proc/self/cgroup; cat /proc/self/cgroup; ls /")
        let lines = outcome.text.split(separator: "\n").map(String.init)
        #expect(lines.prefix(2) == ["1", "inside"], "\(outcome.errorText)")
        #expect(lines.filter { $0.contains(":") }.allSatisfy { $0.hasSuffix(":/") }, "\(lines)")
        #expect(lines.contains("proc") && !lines.contains("boot"))
    }

    @Test func `masked paths are empty and read-only paths cannot be written`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell(
            "cat /proc/keys; ls /sys/firmware; echo x > /proc/sys/kernel/hostname; echo done")
        #expect(outcome.text == "done\n" && outcome.errorText.contains("Read-only file system"), "\(outcome)")
    }

    @Test func `a read-only root is read-only, and what is mounted in it is not`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell("touch /x; touch /dev/shm/y && echo fine") { $0["root", "readonly"] = true }
        #expect(outcome.text == "fine\n" && outcome.errorText.contains("Read-only file system"))
    }

    @Test func `mounts stand in the order of the configuration`() async throws {
        let stage = try RuntimeStage()
        try stage.directory.write("from outside", to: "file")
        let outcome = try await stage.shell(
            "cat /data/deep/file; touch /data/x; touch /data/deep/y; mount | grep ' /data'"
        ) { config in
            config["mounts"]?.array? += [
                ["destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "ro", "noexec"]],
                ["destination": "/data/deep", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "nosuid"]],
                [
                    "destination": "/data/deep/file", "type": "bind", "source": .string(stage.directory.path("file")),
                    "options": ["bind", "ro"],
                ],
            ]
        }
        #expect(outcome.text.hasPrefix("from outside"), "\(outcome.errorText)")
        #expect(outcome.errorText.contains("/data/x: Read-only") && !outcome.errorText.contains("/data/deep/y"))
    }

    @Test func `limits, ids, groups, umask and the adjustment of the killer are as written`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell(
            "id; umask; ulimit -n; cat /proc/self/oom_score_adj; grep NoNew /proc/self/status"
        ) { config in
            config["process", "user"] = ["uid": 1000, "gid": 1001, "additionalGids": [5, 6], "umask": 0o077]
            config["process", "rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 64, "hard": 128]]
            config["process", "oomScoreAdj"] = 500
        }
        #expect(outcome.text == "uid=1000 gid=1001 groups=5,6\n0077\n64\n500\nNoNewPrivs:\t1\n", "\(outcome.errorText)")
    }

    @Test func `a namespace can be joined by its path`() async throws {
        let stage = try RuntimeStage()
        let id = try await stage.sleeping("first")
        let pid = try await stage.pid(id)
        for (type, file) in [("pid", "pid"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("cgroup", "cgroup")] {
            let outcome = try await stage.shell("readlink /proc/self/ns/\(file)") { config in
                config["linux", "namespaces"]?.array?.removeAll { $0["type"]?.string == type }
                config["linux", "namespaces"]?.array?.append([
                    "type": .string(type), "path": .string("/proc/\(pid)/ns/\(file)"),
                ])
                config["linux", "cgroupsPath"] = .string("/\(stage.name)-second")
                if type == "uts" { config["hostname"] = nil }
            }
            #expect(outcome.text == (try Files.link("/proc/\(pid)/ns/\(file)")) + "\n", "\(type): \(outcome.errorText)")
        }
    }

    @Test func `a user namespace maps ids, and its root owns what is made`() async throws {
        let stage = try RuntimeStage()
        try await CommandRunner.runQuietly(["chown", "-R", "100000:100000", stage.rootfs])
        let outcome = try await stage.shell(
            "cat /proc/self/uid_map; id -u; touch /made /dev/shm/x && ls -ln /made; echo x > /dev/null && echo null"
        ) { config in
            config["linux", "namespaces"]?.array?.append(["type": "user"])
            for map in ["uidMappings", "gidMappings"] {
                config["linux", map] = [["containerID": 0, "hostID": 100_000, "size": 1000]]
            }
        }
        let lines = outcome.text.split(separator: "\n").map(String.init)
        #expect(lines.first?.split(separator: " ").map(String.init) == ["0", "100000", "1000"], "\(outcome.errorText)")
        #expect(lines.contains("0") && lines.last == "null", "\(outcome.text)\(outcome.errorText)")
        #expect(try Files.status(stage.rootfs + "/made").owner == 100_000)
    }

    @Test func `a bind can have its ids mapped`() async throws {
        let stage = try RuntimeStage()
        try stage.directory.write("mapped", to: "data/file")
        let outcome = try await stage.shell("ls -ln /data; cat /data/file") { config in
            config["mounts"]?.array?.append([
                "destination": "/data", "type": "none", "source": .string(stage.directory.path("data")),
                "options": ["bind", "idmap"],
                "uidMappings": [["containerID": 0, "hostID": 5000, "size": 10]],
                "gidMappings": [["containerID": 0, "hostID": 6000, "size": 10]],
            ])
        }
        #expect(
            outcome.text.contains(" 5000 ") && outcome.text.contains(" 6000 ") && outcome.text.hasSuffix("mapped"),
            "\(outcome)")
    }

    @Test func `attributes of a bind reach as far as they are written`() async throws {
        let stage = try RuntimeStage()
        try Files.makeDirectories(stage.directory.path("data"))
        for (options, words) in [
            (["bind", "ro"], "ro"), (["rbind", "rro", "nosuid", "noexec", "nodev"], "ro,nosuid,nodev,noexec"),
            (["bind", "noatime"], "noatime"),
        ] {
            let outcome = try await stage.shell("grep ' /data ' /proc/self/mountinfo") { config in
                config["mounts"]?.array?.append([
                    "destination": "/data", "source": .string(stage.directory.path("data")), "options": options.json,
                ])
            }
            #expect(outcome.text.split(separator: " ").dropFirst(5).first?.contains(words) == true, "\(outcome)")
        }
    }

    @Test func `without pivot_root the container has its own root, and exec lands in it`() async throws {
        let stage = try RuntimeStage()
        let id = stage.id()
        try stage.configure(["sleep", "1000"])
        try await stage.shellOutside("create --no-pivot --bundle \(stage.bundle) \(id)")
        try await stage.demand("start", id)
        #expect(try await stage.demand("exec", id, "ls", "/").split(separator: "\n").contains("bin"))
        #expect(try await !stage.demand("exec", id, "ls", "/").contains("boot"))
    }

    @Test func `clocks of a time namespace are ahead as far as written`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell("cat /proc/uptime") { config in
            config["linux", "namespaces"]?.array?.append(["type": "time"])
            config["linux", "timeOffsets"] = ["boottime": ["secs": 10_000_000, "nanosecs": 0]]
        }
        let seconds = outcome.text.split(separator: ".").first.flatMap { Int($0) }
        #expect((seconds ?? 0) > 10_000_000, "\(outcome.text)\(outcome.errorText)")
    }

    @Test func `a tmpfs that says nothing of its mode has that of the directory that it covers`() async throws {
        let stage = try RuntimeStage()
        for name in ["covered", "given"] { try Files.makeDirectories("\(stage.rootfs)/\(name)", mode: 0o700) }
        let outcome = try await stage.shell("ls -ld /covered /given /made") { config in
            let mounts: [(String, [String])] = [("covered", ["size=64k"]), ("given", ["mode=750"]), ("made", [])]
            for (name, options) in mounts {
                config["mounts"]?.array?.append([
                    "destination": .string("/" + name), "type": "tmpfs", "source": "tmpfs", "options": options.json,
                ])
            }
        }
        let modes = outcome.text.split(separator: "\n").map { String($0.prefix(10)) }
        // Where there was nothing, it is what the kernel makes of it.
        #expect(modes == ["drwx------", "drwxr-x---", "drwxrwxrwt"], "\(outcome.text)\(outcome.errorText)")
    }

    @Test func `tmpcopyup brings what was there before`() async throws {
        let stage = try RuntimeStage()
        try stage.directory.write("kept", to: "bundle/rootfs/data/sub/file", mode: 0o640)
        let outcome = try await stage.shell("cat /data/sub/file; touch /data/new") { config in
            config["mounts"]?.array?.append([
                "destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "size=1m"],
            ])
        }
        #expect(outcome.text == "kept", "\(outcome.errorText)")
        #expect(!Files.exists(stage.rootfs + "/data/new"))
    }

    @Test func `hooks of every stage run in their order, with the state on their input`() async throws {
        let stage = try RuntimeStage()
        let log = stage.directory.path("hooks")
        try stage.configure(["true"]) { config in
            var hooks: JSONValue = [:]
            for name in ["prestart", "createRuntime", "createContainer", "poststart", "poststop"] {
                hooks[name] = [
                    [
                        "path": "/bin/sh",
                        "args": [
                            "sh", "-c",
                            .string(
                                "echo \(name) $(cat | tr -d '\\n' | sed 's/.*\"status\":\"\\([a-z]*\\)\".*/\\1/') >> \(log)"
                            ),
                        ],
                        "env": ["PATH=/usr/bin:/bin"],
                    ]
                ]
            }
            // Resolved inside the container.
            hooks["startContainer"] = [["path": "/bin/touch", "args": ["touch", "/started-hook"]]]
            config["hooks"] = hooks
        }
        let outcome = try await stage("run", "--bundle", stage.bundle, stage.id())
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        #expect(
            try Files.readText(log)
                == "prestart creating\ncreateRuntime creating\ncreateContainer creating\npoststart running\npoststop stopped"
        )
        #expect(Files.exists(stage.rootfs + "/started-hook"))
    }

    @Test func `a hook that hangs is killed after its time-out, and the container is gone`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["true"]) { config in
            config["hooks"] = ["createRuntime": [["path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1]]]
        }
        let outcome = try await stage("run", "--bundle", stage.bundle, stage.id())
        #expect(outcome.status == .exited(1) && outcome.errorText.contains("time-out"), "\(outcome.errorText)")
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `a filter denies what it names, for run and exec`() async throws {
        let stage = try RuntimeStage()
        let filter: JSONValue = [
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38]],
        ]
        let outcome = try await stage.shell("/bin/busybox mkdir /x") { $0["linux", "seccomp"] = filter }
        #expect(outcome.errorText.contains("Function not implemented"), "\(outcome.errorText)")
        let id = try await stage.sleeping("exec") { $0["linux", "seccomp"] = filter }
        #expect(
            try await stage("exec", id, "/bin/busybox", "mkdir", "/x").errorText.contains("Function not implemented"))
    }

    @Test func `limits of the cgroup are in force and can be changed`() async throws {
        let stage = try RuntimeStage()
        let id = try await stage.sleeping { config in
            config["linux", "resources"] = ["pids": ["limit": 20], "memory": ["limit": 67_108_864]]
        }
        let stats = try JSONParser.parse(try await stage.demand("events", "--stats", id))
        #expect(stats["data", "pids", "limit"]?.integer == 20, "\(stats)")
        try await stage.demand("update", "--pids-limit", "30", id)
        let changed = try JSONParser.parse(try await stage.demand("events", "--stats", id))
        #expect(changed["data", "pids", "limit"]?.integer == 30)
    }

    @Test func `events end in peace when the container stops or goes`() async throws {
        let stage = try RuntimeStage()
        for verb in ["kill", "delete"] {
            let id = try await stage.sleeping(verb)
            let file = stage.directory.path("events-\(verb)")
            async let events = CommandRunner.run(["sh", "-c", "\(stage.call) events --interval 10ms \(id) > \(file)"])
            try await eventually("it tells something") { !((try? Files.readText(file)) ?? "").isEmpty }
            if verb == "kill" {
                try await stage.demand("kill", id, "KILL")
            } else {
                try await stage.demand("delete", "--force", id)
            }
            let outcome = try await events
            #expect(outcome.status.isSuccess, "\(verb): \(outcome.errorText)")
            let stats = try JSONParser.parse(String(try Files.readText(file).split(separator: "\n")[0]))
            #expect(stats["type"]?.string == "stats")
            // Of one that is not there from the first it is an error.
            #expect(try await stage("events", "--interval", "10ms", id).status == .exited(1))
            try await stage.demand("delete", "--force", id)
        }
    }

    @Test func `a label without its kernel module is refused`() async throws {
        let stage = try RuntimeStage()
        if !Files.exists("/sys/kernel/security/apparmor"), !Files.exists("/proc/self/attr/apparmor") {
            let outcome = try await stage.shell("true") { $0["process", "apparmorProfile"] = "docker-default" }
            #expect(outcome.errorText.contains("AppArmor is not enabled"))
        }
        if !Files.exists("/sys/fs/selinux/enforce") {
            let outcome = try await stage.shell("true") {
                $0["process", "selinuxLabel"] = "system_u:system_r:container_t:s0"
            }
            #expect(outcome.errorText.contains("SELinux is not enabled"))
        }
    }
}
