import JSON
import Linux
import OCI
import TestKit
import Testing

@testable import RuntimeCgroups

/// Real programs in this machine's real cgroups: as they are mounted, with v1 alone and with v2 alone.
@Suite(.enabled(if: isRoot), .timeLimit(.minutes(2)))
struct RuntimeCgroupMachineTests {
    enum View: String, CaseIterable, Sendable {
        case whole, legacy, unified

        var layout: RuntimeCgroupLayout? {
            guard let whole = try? RuntimeCgroupLayout.ofThisProcess() else { return nil }
            switch self {
            case .whole: return whole.unified == nil && whole.legacy.isEmpty ? nil : whole
            case .legacy: return whole.legacy.isEmpty ? nil : RuntimeCgroupLayout(legacy: whole.legacy)
            case .unified: return whole.unified.map { RuntimeCgroupLayout(unified: $0) }
            }
        }

        /// The views in which the controller can be had.
        static func having(_ controller: String?) -> [View] {
            allCases.filter { view in
                guard let layout = view.layout else { return false }
                guard let controller else { return true }
                return layout.unified?.controllers.contains(controller) == true
                    || layout.legacy.contains { $0.controllers.contains(controller) }
            }
        }
    }

    /// A container's cgroup with a shell that has joined it, both gone at the end.
    private func withCgroup(
        _ view: View, _ resources: JSONValue = [:], _ body: (inout RuntimeCgroup) async throws -> Void
    ) async throws {
        let id = "forkless-oci-test-\(UInt64.random(in: 0 ... .max))"
        let resources = try Resources(JSONWriter.bytes(resources))
        var cgroup = try RuntimeCgroup.plan(path: nil, id: id, resources: resources, layout: #require(view.layout))
        try cgroup.make()
        do {
            try cgroup.apply(resources)
            try await body(&cgroup)
        } catch {
            try? cgroup.kill()
            try? cgroup.remove()
            throw error
        }
        try cgroup.kill()
        try cgroup.remove()
        for path in cgroup.recorded.values { #expect(!Files.exists(path), "\(path)") }
    }

    /// Runs a shell script in the cgroup: it joins as a container's process does, alone and by itself.
    private func run(_ script: String, in cgroup: RuntimeCgroup) async throws -> CommandRunner.Outcome {
        let files = cgroup.branches.map { $0.path + ($0.isUnified ? "/cgroup.procs" : "/tasks") }
        let join = files.map { "echo 0 > \($0)" }.joined(separator: " && ")
        return try await CommandRunner.run(["sh", "-c", "\(join) && { \(script)\n}"])
    }

    /// Starts one that goes on, and returns its process.
    private func start(_ script: String, in cgroup: RuntimeCgroup) async throws -> Int32 {
        let outcome = try await run("(\(script)) > /dev/null 2>&1 < /dev/null & echo $!", in: cgroup)
        return try #require(Int32(outcome.text.filter(\.isNumber)), "\(outcome.errorText)")
    }

    @Test(arguments: View.having(nil))
    func `a program that has joined is in every hierarchy`(view: View) async throws {
        try await withCgroup(view) { cgroup in
            #expect((cgroup.birth != nil) == (view.layout?.unified != nil))
            #expect(cgroup.joins.count == view.layout?.legacy.count)
            let outcome = try await run("cat /proc/self/cgroup", in: cgroup)
            let lines = outcome.text.split(separator: "\n").map(String.init)
            for branch in cgroup.branches {
                let name = branch.path.split(separator: "/").last!
                let line = lines.first {
                    branch.isUnified
                        ? $0.hasPrefix("0::") : $0.contains(":\(branch.controllers.joined(separator: ",")):")
                }
                #expect(line?.hasSuffix("/\(name)") == true, "\(branch): \(line ?? "none")")
            }
            #expect(try cgroup.processes() == [])
        }
    }

    @Test(arguments: View.having(nil))
    func `a container without device rules gets the default devices and no others`(view: View) async throws {
        try await withCgroup(view) { cgroup in
            let outcome = try await run(
                "for d in null zero full random urandom; do : < /dev/$d || echo $d; done; : < /dev/kmsg && echo kmsg",
                in: cgroup)
            #expect(outcome.text == "", "\(outcome.text) \(outcome.errorText)")
            #expect(outcome.errorText.contains("Operation not permitted"))
        }
    }

    @Test(arguments: View.having(nil))
    func `a program in the cgroup opens what is allowed and nothing else`(view: View) async throws {
        let readable: JSONValue = [
            "devices": [
                ["allow": false, "access": "rwm"],
                ["allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"],
            ]
        ]
        try await withCgroup(view, readable) { cgroup in
            let script = "(: < /dev/kmsg) && echo read; (: >> /dev/kmsg) && echo written; (: > /dev/null) && echo null"
            #expect(try await run(script, in: cgroup).text == "read\nnull\n")
            // An update replaces the rules, with the default devices usable all the time.
            let other = Resources(devices: [
                DeviceRule(isAllowed: true, kind: .character, major: 1, minor: 11, access: .write)
            ])
            try cgroup.apply(other)
            #expect(try await run(script, in: cgroup).text == "written\nnull\n")
            try cgroup.apply(Resources(devices: [DeviceRule(isAllowed: true, kind: .all)]))
            #expect(try await run(script, in: cgroup).text == "read\nwritten\nnull\n")
            try cgroup.apply(other)
            #expect(try await run(script, in: cgroup).text == "written\nnull\n")
            if let unified = cgroup.unified, view == .unified {
                let directory = try Files.open(unified.path, 0)
                #expect(try DeviceFilters.attached(to: directory.raw).count == 1)
            }
        }
    }

    @Test(arguments: View.having(nil))
    func `nodes can be made and not used`(view: View) async throws {
        let place = try TemporaryDirectory("nodes")
        try await withCgroup(view) { cgroup in
            let outcome = try await run(
                "mknod \(place.path)/n c 1 11 && echo made; (: < \(place.path)/n) && echo read", in: cgroup)
            #expect(outcome.text == "made\n")
        }
    }

    @Test(arguments: View.having("memory"))
    func `memory is limited, and the figures tell`(view: View) async throws {
        try await withCgroup(view, ["memory": ["limit": 16_777_216, "swap": 16_777_216]]) { cgroup in
            let outcome = try await run("sh -c 'ulimit -v 400000; exec tail /dev/zero'; echo $?", in: cgroup)
            #expect(outcome.text == "137\n")
            let memory = try #require(cgroup.statistics()["memory"])
            #expect(memory["usage", "limit"] == 16_777_216)
            let peak = try #require(memory["usage", "max"]?.integer)
            #expect((8 << 20)...(16 << 20) ~= peak)
            // Up beyond memory and swap together, and down again: v1 wants the two in different orders.
            try cgroup.apply(try Resources(Array(#"{"memory":{"limit":67108864,"swap":67108864}}"#.utf8)))
            try cgroup.apply(try Resources(Array(#"{"memory":{"limit":33554432,"swap":33554432}}"#.utf8)))
            #expect(cgroup.statistics()["memory", "usage", "limit"] == 33_554_432)
            try cgroup.apply(try Resources(Array(#"{"memory":{"limit":-1}}"#.utf8)))
            #expect(cgroup.statistics()["memory", "usage", "limit"] != 33_554_432)
        }
    }

    @Test(arguments: View.having("pids"))
    func `tasks are limited, and the figures tell`(view: View) async throws {
        try await withCgroup(view, ["pids": ["limit": 4]]) { cgroup in
            #expect(cgroup.statistics()["pids"] == ["limit": 4])
            let outcome = try await run("for i in 1 2 3 4 5 6; do sleep 0 & done; wait", in: cgroup)
            #expect(outcome.errorText.contains("fork") || outcome.errorText.contains("Resource"))
        }
    }

    @Test(arguments: View.having("cpu"))
    func `time on processors is limited, and the figures tell`(view: View) async throws {
        let limits: JSONValue = ["cpu": ["shares": 512, "quota": 10_000, "period": 100_000, "burst": 5000]]
        try await withCgroup(view, limits) { cgroup in
            _ = try await start("while :; do :; done", in: cgroup)
            try await eventually("it is throttled") {
                (cgroup.statistics()["cpu", "throttling", "throttledPeriods"]?.integer ?? 0) > 0
            }
            #expect((cgroup.statistics()["cpu", "usage", "total"]?.integer ?? 0) > 0)
            // Below the burst that is set: the kernel wants the burst first.
            try cgroup.apply(try Resources(Array(#"{"cpu":{"quota":2000,"burst":1000,"period":50000}}"#.utf8)))
            try cgroup.apply(try Resources(Array(#"{"cpu":{"quota":20000,"burst":20000}}"#.utf8)))
        }
    }

    @Test(arguments: View.having("cpuset"))
    func `programs run on the processors they were given`(view: View) async throws {
        try await withCgroup(view, ["cpu": ["cpus": "0", "mems": "0"]]) { cgroup in
            let outcome = try await run("grep Cpus_allowed_list /proc/self/status", in: cgroup)
            #expect(outcome.text == "Cpus_allowed_list:\t0\n")
            #expect(cgroup.statistics()["cpuset", "cpus"] == [0])
        }
    }

    @Test(arguments: View.having("hugetlb"))
    func `huge pages are limited, and the figures tell`(view: View) async throws {
        let layout = try #require(view.layout)
        guard layout.unified?.controllers.contains("hugetlb") == true,
            Files.exists("/sys/kernel/mm/hugepages/hugepages-2048kB")
        else { return }
        try await withCgroup(view, ["hugepageLimits": [["pageSize": "2MB", "limit": 4_194_304]]]) { cgroup in
            let path = try #require(cgroup.unified?.path)
            #expect(try Files.readText(path + "/hugetlb.2MB.max") == "4194304")
            #expect(cgroup.statistics()["hugetlb", "2MB"] == ["failcnt": 0])
            try cgroup.apply(try Resources(Array(#"{"unified":{"hugetlb.2MB.max":"2097152"}}"#.utf8)))
            #expect(try Files.readText(path + "/hugetlb.2MB.max") == "2097152")
            #expect(throws: SystemError.self) {
                try cgroup.apply(try Resources(Array(#"{"hugepageLimits":[{"pageSize":"3MB","limit":1}]}"#.utf8)))
            }
        }
    }

    @Test(arguments: View.having(nil).filter { $0 != .legacy || View.having("freezer").contains($0) })
    func `a frozen program stands still until it goes on, and dies of a kill`(view: View) async throws {
        try await withCgroup(view) { cgroup in
            let pid = try await start("while :; do :; done", in: cgroup)
            func ticks() throws -> String {
                let fields = try Files.readText("/proc/\(pid)/stat").split(separator: " ")
                return fields[13] + " " + fields[14]
            }
            try cgroup.freeze(true)
            #expect(cgroup.isFrozen)
            let before = try ticks()
            try await Task.sleep(for: .milliseconds(40))
            #expect(try ticks() == before)
            try cgroup.freeze(false)
            #expect(!cgroup.isFrozen)
            try await eventually("it goes on") { try ticks() != before }
            try cgroup.freeze(true)
            try cgroup.kill()
            try await eventually("it is gone") { try cgroup.processes().isEmpty }
            #expect(!cgroup.isFrozen)
        }
    }

    @Test(arguments: View.having(nil).filter { $0 != .legacy || View.having("freezer").contains($0) })
    func `killing takes a grandchild that nobody waits for`(view: View) async throws {
        try await withCgroup(view) { cgroup in
            _ = try await start(
                "(setsid sh -c '(trap \"\" TERM HUP; sleep 300 & wait) & exit' &); sleep 300", in: cgroup)
            try await eventually("all run") { try cgroup.processes().count >= 3 }
            try cgroup.kill()
            try await eventually("all are gone") { try cgroup.processes().isEmpty }
        }
    }

    @Test(arguments: View.having(nil))
    func `what is recorded serves a later process, and nested groups go with the container`(view: View) async throws {
        try await withCgroup(view) { cgroup in
            let later = RuntimeCgroup(recorded: cgroup.recorded)
            #expect(later.recorded == cgroup.recorded)
            let opened = try later.opened()
            #expect(opened.joins.count == cgroup.joins.count && (opened.birth == nil) == (cgroup.birth == nil))
            let pid = try await start("exec sleep 300", in: later)
            #expect(try later.processes() == [pid])
            for path in cgroup.recorded.values where !Files.exists(path + "/inner") {
                try Files.makeDirectories(path + "/inner/innermost")
            }
            let busy = #expect(throws: SystemError.self) { try later.remove(patienceMilliseconds: 0) }
            #expect(busy?.code == .busy)
            // A second container cannot move in with it.
            var other = try RuntimeCgroup.plan(
                path: nil, id: String(cgroup.branches[0].path.split(separator: "/").last!), resources: nil,
                layout: #require(view.layout))
            let taken = #expect(throws: SystemError.self) { try other.make() }
            #expect(taken?.code == .busy)
        }
    }

    @Test(arguments: View.having(nil).filter { $0 != .legacy || View.having("freezer").contains($0) })
    func `a group that is there and frozen is not taken, an empty one is`(view: View) async throws {
        try await withCgroup(view) { cgroup in
            let id = String(cgroup.branches[0].path.split(separator: "/").last!)
            var same = try RuntimeCgroup.plan(path: nil, id: id, resources: nil, layout: #require(view.layout))
            try cgroup.freeze(true)
            let error = #expect(throws: SystemError.self) { try same.make() }
            #expect(error?.code == .busy && error?.advice.contains("frozen") == true)
            try cgroup.freeze(false)
            try same.make()
            #expect(same.recorded == cgroup.recorded)
        }
    }

    @Test(arguments: View.having("hugetlb").filter { $0 != .legacy })
    func `a process joins beside the first one when the container has divided its v2 group`(view: View) async throws {
        try await withCgroup(view) { cgroup in
            let path = try #require(cgroup.unified?.path)
            let controllers = try Files.readText(path + "/cgroup.controllers")
            guard controllers.contains("hugetlb") else { return }
            let pid = try await start("exec sleep 300", in: cgroup)
            try Files.makeDirectories(path + "/a/init.scope")
            try Files.writeText("\(pid)", to: path + "/a/init.scope/cgroup.procs")
            func place(_ cgroup: RuntimeCgroup) throws -> String {
                try Files.link("/proc/self/fd/\(try #require(cgroup.birth).raw)")
            }
            #expect(try place(RuntimeCgroup(recorded: cgroup.recorded).opened(beside: pid)) == path)
            try Files.writeText("+hugetlb", to: path + "/cgroup.subtree_control")
            #expect(try place(RuntimeCgroup(recorded: cgroup.recorded).opened(beside: pid)) == path + "/a/init.scope")
            #expect(try place(RuntimeCgroup(recorded: cgroup.recorded).opened(beside: 1)) == path)
            #expect(try cgroup.processes() == [pid])
        }
    }

    @Test(arguments: View.having(nil))
    func `a make that fails half way leaves nothing`(view: View) async throws {
        let layout = try #require(view.layout)
        var broken = layout
        broken.legacy.append(.init(path: "/proc/nowhere", controllers: ["rdma"]))
        let id = "forkless-oci-test-\(UInt64.random(in: 0 ... .max))"
        var cgroup = try RuntimeCgroup.plan(path: "/\(id)/inner", id: id, resources: nil, layout: broken)
        #expect(throws: SystemError.self) { try cgroup.make() }
        for hierarchy in layout.legacy + [layout.unified].compactMap(\.self) {
            #expect(!Files.exists("\(hierarchy.path)/\(id)"), "\(hierarchy.path)")
        }
        #expect(cgroup.birth == nil && cgroup.joins.isEmpty)
    }

    @Test(arguments: View.having(nil))
    func `a group that a process has been born in is made to its end`(view: View) async throws {
        let layout = try #require(view.layout)
        let id = "forkless-oci-test-\(UInt64.random(in: 0 ... .max))"
        var cgroup = try RuntimeCgroup.plan(path: nil, id: id, resources: nil, layout: layout)
        try cgroup.makeBirthplace()
        defer { try? cgroup.remove() }
        #expect((cgroup.birth != nil) == (layout.unified != nil) && cgroup.joins.isEmpty)
        #expect(cgroup.joinCount == layout.legacy.count)
        for hierarchy in layout.legacy { #expect(!Files.exists("\(hierarchy.path)/\(id)")) }
        try cgroup.make()
        #expect(cgroup.joins.count == cgroup.joinCount)
        for hierarchy in layout.legacy { #expect(Files.exists("\(hierarchy.path)/\(id)")) }
    }

    @Test(arguments: View.having(nil))
    func `no descriptor is left open by any operation`(view: View) async throws {
        let layout = try #require(view.layout)
        func round() throws {
            let id = "forkless-oci-test-\(UInt64.random(in: 0 ... .max))"
            var cgroup = try RuntimeCgroup.plan(path: nil, id: id, resources: nil, layout: layout)
            try cgroup.make()
            try cgroup.apply(Resources())
            _ = try RuntimeCgroup(recorded: cgroup.recorded).opened()
            _ = cgroup.statistics()
            try cgroup.freeze(true)
            try cgroup.kill()
            try cgroup.remove()
        }
        // Other suites open and close beside us: what a leak of many rounds would hold is far above what they do.
        let before = try Files.list("/proc/self/fd").count
        for _ in 0..<100 { try round() }
        #expect(try Files.list("/proc/self/fd").count < before + 100)
    }

    @Test(arguments: View.having(nil))
    func `the group can be given to a user to divide`(view: View) async throws {
        try await withCgroup(view) { cgroup in
            try cgroup.delegate(to: 4711)
            guard let path = cgroup.unified?.path else { return }
            for file in ["", "/cgroup.procs", "/cgroup.subtree_control"] {
                #expect(try Files.status(path + file).owner == 4711, "\(file)")
            }
            #expect(try Files.status(path + "/cgroup.freeze").owner == 0)
        }
    }

    @Test func `what is not counted is not reported`() throws {
        let json = RuntimeCgroup(recorded: ["": "/nowhere"]).statistics()
        #expect(json["cpu", "usage"] == ["kernel": 0, "user": 0])
        #expect(json["memory", "usage"] == ["limit": 0, "failcnt": 0])
        #expect(json["pids"] == [:] && json["blkio"] == [:] && json["hugetlb"] == [:])
        #expect(json["network_interfaces"] == .null)
    }
}

extension Resources {
    fileprivate init(devices: [DeviceRule]) {
        self.init()
        self.devices = devices
    }
}
