import JSON
import OCI
import Testing

/// What fields mean together: a row for every rule, and what managers write passes.
@Suite struct RuntimeSpecCheckTests {
    private static func problem(_ json: JSONValue = RuntimeDocuments.least, _ change: (inout JSONValue) -> Void) throws
        -> String?
    {
        let spec = try RuntimeDocuments.spec(json, change)
        do throws(DocumentError) {
            try spec.check()
            return nil
        } catch { return error.description }
    }

    private static func refuses(_ words: String, _ change: (inout JSONValue) -> Void) throws {
        let problem = try problem(change: change)
        #expect(problem?.contains(words) == true, "\(words): \(problem ?? "accepted")")
    }

    private static func problem(change: (inout JSONValue) -> Void) throws -> String? {
        try problem(RuntimeDocuments.least, change)
    }

    private static func namespaces(_ kinds: String...) -> JSONValue {
        .array(kinds.map { ["type": .string($0)] })
    }

    @Test func `the least document passes, and the full one without what is not supported`() throws {
        #expect(try Self.problem { _ in } == nil)
        let full = try Self.problem(RuntimeDocuments.full) { json in
            json["linux", "intelRdt"] = nil
            json["process", "scheduler", "priority"] = 0
        }
        #expect(full == nil)
    }

    @Test func `versions`() throws {
        for good in ["1.0.0", "1.0.2-dev", "1.1.0+dev", "1.3.0", "1.99.7-rc.1"] {
            #expect(try Self.problem { $0["ociVersion"] = .string(good) } == nil, "\(good)")
        }
        for bad in [
            "1", "1.0", "v1.0.0", "2.0.0", "0.2.0", "1.0.x", "1.0.0-", "01.0.0", "1.0.0 ", "99999999999999999999.0.0",
        ] {
            try Self.refuses("ociVersion") { $0["ociVersion"] = .string(bad) }
        }
        #expect(try RuntimeDocuments.spec(RuntimeDocuments.least) { $0["ociVersion"] = "1.9.0" }.warnings.count == 1)
        #expect(try RuntimeDocuments.spec(RuntimeDocuments.least).warnings == [])
    }

    @Test func `parts that are missing`() throws {
        try Self.refuses("root: expected an object") { $0["root"] = nil }
        try Self.refuses("process: expected an object") { $0["process"] = nil }
        try Self.refuses("process.args: must not be empty") { $0["process", "args"] = [] }
        try Self.refuses("process.args: must not be empty") { $0["process", "args"] = [""] }
        try Self.refuses("linux.namespaces: a mount namespace is needed") { $0["linux"] = nil }
    }

    @Test func `the process`() throws {
        try Self.refuses("process.cwd: expected an absolute path") { $0["process", "cwd"] = "srv" }
        try Self.refuses("process.env[1]: expected NAME=VALUE") { $0["process", "env"] = ["A=", "B"] }
        try Self.refuses("process.env[0]: expected NAME=VALUE") { $0["process", "env"] = ["=B"] }
        let limit: JSONValue = ["type": "RLIMIT_CORE", "soft": 0, "hard": 0]
        try Self.refuses("process.rlimits[1].type: \"RLIMIT_CORE\" stands twice".replacing("\"", with: "")) {
            $0["process", "rlimits"] = [limit, limit]
        }
        let size: JSONValue = ["height": 65_536, "width": 80]
        try Self.refuses("process.consoleSize") {
            $0["process", "terminal"] = true
            $0["process", "consoleSize"] = size
        }
        #expect(try Self.problem { $0["process", "consoleSize"] = size } == nil)
    }

    @Test func `the scheduler`() throws {
        func refuses(_ words: String, _ scheduler: JSONValue) throws {
            try Self.refuses("process.scheduler.\(words)") { $0["process", "scheduler"] = scheduler }
        }
        try refuses("policy: no kernel has SCHED_ISO", ["policy": "SCHED_ISO"])
        try refuses("priority: SCHED_FIFO needs 1 to 99", ["policy": "SCHED_FIFO"])
        try refuses("priority: it is for", ["policy": "SCHED_BATCH", "priority": 1])
        try refuses("runtime: runtime, deadline", ["policy": "SCHED_RR", "priority": 1, "period": 1])
        try refuses("runtime: SCHED_DEADLINE needs", ["policy": "SCHED_DEADLINE", "deadline": 1])
        try refuses("runtime: SCHED_DEADLINE needs", ["policy": "SCHED_DEADLINE", "runtime": 3, "deadline": 2])
        let good: [JSONValue] = [
            ["policy": "SCHED_OTHER", "nice": -20], ["policy": "SCHED_RR", "priority": 99],
            ["policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 2, "period": 2],
        ]
        for scheduler in good { #expect(try Self.problem { $0["process", "scheduler"] = scheduler } == nil) }
    }

    @Test func `namespaces`() throws {
        try Self.refuses("linux.namespaces[1].type: \"mount\" stands twice") {
            $0["linux", "namespaces"] = Self.namespaces("mount", "mount")
        }
        try Self.refuses("hostname: it needs a uts namespace") { $0["hostname"] = "a" }
        try Self.refuses("domainname: it needs a uts namespace") { $0["domainname"] = "a" }
        try Self.refuses("linux.timeOffsets: they need a new time namespace") {
            $0["linux", "timeOffsets"] = ["monotonic": ["secs": 1]]
        }
        try Self.refuses("linux.netDevices.eth0: it needs a network namespace") {
            $0["linux", "netDevices"] = ["eth0": [:]]
        }
        try Self.refuses("linux.uidMappings: it needs a user namespace") {
            $0["linux", "uidMappings"] = [["containerID": 0, "hostID": 0, "size": 1]]
        }
        try Self.refuses("linux.uidMappings: a new user namespace needs a mapping") {
            $0["linux", "namespaces"] = Self.namespaces("mount", "user")
        }
    }

    @Test func `the user has to be in the maps of a new user namespace`() throws {
        func userNamespace(_ json: inout JSONValue) {
            json["linux", "namespaces"] = Self.namespaces("mount", "user")
            for map in ["uidMappings", "gidMappings"] {
                json["linux", map] = [["containerID": 10, "hostID": 1000, "size": 5]]
            }
            json["process", "user"] = ["uid": 14, "gid": 10]
        }
        #expect(try Self.problem { userNamespace(&$0) } == nil)
        try Self.refuses("process.user.uid: 15 is in no range") {
            userNamespace(&$0)
            $0["process", "user", "uid"] = 15
        }
        try Self.refuses("process.user.gid: 9 is in no range") {
            userNamespace(&$0)
            $0["process", "user", "gid"] = 9
        }
        try Self.refuses("process.user.additionalGids[1]: 0 is in no range") {
            userNamespace(&$0)
            $0["process", "user", "additionalGids"] = [11, 0]
        }
    }

    @Test func `kernel parameters belong to a namespace of the container`() throws {
        func refuses(_ words: String, _ name: String, _ kinds: String...) throws {
            try Self.refuses("linux.sysctl.\(name): \(words)") {
                $0["linux", "namespaces"] = .array((["mount"] + kinds).map { ["type": .string($0)] })
                $0["linux", "sysctl"] = .object([name: "1"])
            }
        }
        try refuses("it needs a network namespace", "net.ipv4.ip_forward")
        try refuses("it needs a ipc namespace", "kernel.shmmax", "network")
        try refuses("it needs a uts namespace", "kernel.hostname", "network")
        try refuses("it belongs to no namespace", "kernel.panic", "network", "ipc", "uts")
        try refuses("it belongs to no namespace", "vm.swappiness", "network", "ipc", "uts")
        for bad in ["net", "net..ipv4", "net/../kernel/panic", "net.//.kernel.panic", "/net/ipv4/x", "net/ipv4/"] {
            try refuses("expected a kernel parameter", bad, "network")
        }
        #expect(
            try Self.problem {
                $0["linux", "namespaces"] = Self.namespaces("mount", "network", "ipc", "uts")
                $0["linux", "sysctl"] = [
                    "net/ipv4/conf/eth0.1/rp_filter": "1", "fs.mqueue.msg_max": "2", "kernel.domainname": "a",
                ]
            } == nil)
    }

    @Test func `names of kernel parameters become paths`() {
        #expect(SysctlName("net.ipv4.ip_forward")?.path == "net/ipv4/ip_forward")
        #expect(SysctlName("net/ipv4/conf/eno2.100/rp_filter")?.path == "net/ipv4/conf/eno2.100/rp_filter")
        #expect(SysctlName("net.ipv4.conf.eno2/100.rp_filter")?.path == "net/ipv4/conf/eno2.100/rp_filter")
        #expect(SysctlName("net.ipv4.conf.//.x") == nil)
    }

    @Test func `mounts`() throws {
        func refuses(_ words: String, _ mount: JSONValue) throws {
            try Self.refuses("mounts[0].\(words)") { $0["mounts"] = [mount] }
        }
        try refuses("source: a bind mount needs", ["destination": "/a", "options": ["bind"]])
        try refuses("type: expected a file system", ["destination": "/a", "source": "x"])
        try refuses("options: tmpcopyup is for tmpfs", ["destination": "/a", "type": "proc", "options": ["tmpcopyup"]])
        try refuses(
            "uidMappings: idmap needs a mapping", ["destination": "/a", "source": "/b", "options": ["bind", "idmap"]])
        try refuses(
            "options: tmpcopyup is for tmpfs",
            ["destination": "/a", "type": "tmpfs", "options": ["remount", "tmpcopyup"]])
        for word in ["size=64k", "sync", "lazytime", "noiversion"] {
            try refuses(
                "options: remount changes the mount alone, and \"\(word)\" is",
                ["destination": "/a", "type": "tmpfs", "options": ["remount", "ro", .string(word)]])
        }
        #expect(
            try Self.problem {
                $0["mounts"] = [
                    ["destination": "/a", "source": "/a", "options": ["bind", "remount", "ro", "nosuid", "rprivate"]]
                ]
            } == nil)
        #expect(
            try RuntimeDocuments.spec(RuntimeDocuments.least) {
                $0["mounts"] = [["destination": "a", "type": "tmpfs"]]
            }.warnings == ["the mount destination \"a\" is relative: taken from /"])
    }

    @Test func `unknown capabilities are a warning`() throws {
        let spec = try RuntimeDocuments.spec(RuntimeDocuments.least) {
            $0["process", "capabilities"] = ["bounding": ["CAP_KILL", "CAP_FLY"], "ambient": ["CAP_SWIM"]]
        }
        try spec.check()
        #expect(spec.warnings == ["these capabilities are not known and not given: CAP_FLY, CAP_SWIM"])
    }

    @Test func `seccomp`() throws {
        func problem(_ seccomp: JSONValue) -> String? {
            do throws(DocumentError) {
                _ = try RuntimeDocuments.spec(RuntimeDocuments.least) { $0["linux", "seccomp"] = seccomp }
                return nil
            } catch { return error.problem }
        }
        #expect(problem(["defaultAction": "SCMP_ACT_NOTIFY"])?.contains("listenerPath: SCMP_ACT_NOTIFY needs") == true)
        #expect(
            problem(["defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"])?.contains("listenerMetadata") == true)
        #expect(
            problem(["defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1])?.contains("returns no error") == true)
        #expect(problem(["defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": 65_535]) == nil)
        #expect(
            problem(["defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": 65_536])?.contains("defaultErrnoRet") == true
        )
        #expect(problem(["defaultAction": "SCMP_ACT_FLY"])?.contains("expected one of SCMP_ACT_KILL,") == true)
    }

    @Test func `no call that the process needs itself is handed to a listener`() throws {
        try Self.refuses("linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default") {
            $0["linux", "seccomp"] = ["defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"]
        }
        func filter(_ name: String, _ action: String) -> JSONValue {
            [
                "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x",
                "syscalls": [["names": ["mkdir", .string(name)], "action": .string(action)]],
            ]
        }
        for name in ["sendmsg", "write", "read"] {
            try Self.refuses("linux.seccomp.syscalls[0].names[1]: \(name) cannot have SCMP_ACT_NOTIFY") {
                $0["linux", "seccomp"] = filter(name, "SCMP_ACT_NOTIFY")
            }
            #expect(try Self.problem { $0["linux", "seccomp"] = filter(name, "SCMP_ACT_LOG") } == nil)
        }
        #expect(try Self.problem { $0["linux", "seccomp"] = filter("mkdirat", "SCMP_ACT_NOTIFY") } == nil)
    }

    @Test func `maps do not overlap`() throws {
        func map(_ ranges: [(Int64, Int64, Int64)]) -> JSONValue {
            .array(ranges.map { ["containerID": .integer($0), "hostID": .integer($1), "size": .integer($2)] })
        }
        let error = #expect(throws: DocumentError.self) {
            try RuntimeDocuments.spec(RuntimeDocuments.least) {
                $0["linux", "uidMappings"] = map([(0, 100, 10), (9, 200, 1)])
            }
        }
        #expect(error?.problem.contains("linux.uidMappings[1]: it overlaps") == true)
        #expect(throws: DocumentError.self) {
            try RuntimeDocuments.spec(RuntimeDocuments.least) {
                $0["linux", "gidMappings"] = map([(0, 205, 10), (50, 200, 6)])
            }
        }
        _ = try RuntimeDocuments.spec(RuntimeDocuments.least) {
            $0["linux", "uidMappings"] = map([(10, 100, 10), (0, 110, 10)])
        }
    }
}
