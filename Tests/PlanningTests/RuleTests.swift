import Linux
import Testing

@testable import Observation
@testable import Planning

/// Each rule by itself.
@Suite struct RuleTests {
    private func findings(_ rule: String, _ program: RecordedProgram, file: ProgramFile = Examples.native) -> [Finding]
    {
        Examples.plan(program, file: file).findings.filter { $0.rule == rule }
    }

    private func expectBlocked(
        _ rule: String, _ rungs: Set<PlannedRung>, evidence: String? = nil, _ change: (inout DeepFacts) -> Void,
        location: SourceLocation = #_sourceLocation
    ) {
        let found = findings(rule, Examples.traced(change)).filter { $0.kind == .blocker }
        #expect(found.map(\.rungs) == [rungs], sourceLocation: location)
        if let evidence {
            #expect(found.first?.evidence.contains { $0.contains(evidence) } == true, sourceLocation: location)
        }
    }

    @Test func `a traced program that does nothing special has no finding at all`() {
        #expect(Examples.plan(Examples.traced()).findings == [])
    }

    @Test func `files changed on the local disk block functions, and a volume is wanted for containers`() {
        expectBlocked("local state", .functions, evidence: "/var/lib/book") {
            $0.files.append(.init(path: "/var/lib/book", actions: [.write]))
        }
        let found = findings(
            "local state", Examples.traced { $0.files.append(.init(path: "/var/lib/book", actions: [.append])) })
        #expect(found.map(\.kind) == [.blocker, .condition])
        #expect(found[1].rungs == [.container, .service])
    }

    @Test func `temporary files and devices are no local state`() {
        let program = Examples.traced {
            $0.files += [
                .init(path: "/tmp/x", actions: [.create, .unlink]), .init(path: "/dev/null", actions: [.write]),
            ]
        }
        #expect(findings("local state", program).map(\.kind) == [.condition])
    }

    @Test func `a terminal blocks what is started ahead`() {
        expectBlocked("terminal", [.service, .standby, .runtime], evidence: "/dev/pts/3") {
            $0.terminals = ["/dev/pts/3"]
        }
        expectBlocked("terminal", [.service, .standby, .runtime], evidence: "descriptor 0") {
            $0.inheritedDescriptors[0].target = "/dev/tty1"
        }
    }

    @Test func `inherited descriptors block every other place when they are used, and are unknown when nobody looked`()
    {
        expectBlocked("inherited descriptors", .isolated, evidence: "9: socket") {
            $0.inheritedDescriptors.append(.init(number: 9, target: "socket:[1]", isUsed: true))
        }
        let unclear = Examples.traced { $0.inheritedDescriptors.append(.init(number: 9, target: "/x")) }
        #expect(findings("inherited descriptors", unclear).map(\.kind) == [.unknown])
        let unused = Examples.traced { $0.inheritedDescriptors.append(.init(number: 9, target: "/x", isUsed: false)) }
        #expect(findings("inherited descriptors", unused) == [])
    }

    @Test func `shared memory blocks every other place, but for a program's own`() {
        expectBlocked("shared memory", .isolated, evidence: "/dev/shm/prices") {
            $0.sharedMemory = ["anonymous", "/dev/shm/prices"]
        }
        #expect(findings("shared memory", Examples.traced { $0.sharedMemory = ["anonymous"] }) == [])
    }

    @Test func `a long life blocks functions`() {
        let hours = Examples.program(lifetime: 3_600_000_000_000)
        #expect(findings("long life", hours).map(\.kind) == [.blocker])
        let endless = Examples.program {
            $0.lifetime = Spread()
            $0.unfinished = 1
        }
        #expect(findings("long life", endless).map(\.rungs) == [.functions])
        let half = Examples.program { $0.unfinished = 60 }
        #expect(findings("long life", half).map(\.kind) == [.unknown])
        #expect(findings("long life", Examples.program()) == [])
    }

    @Test func `setuid programs and changes of identity block every other place`() {
        var facts = Examples.native.facts!
        facts.isSetuid = true
        let found = findings("privileges", Examples.program(), file: .found(facts))
        #expect(found.map(\.kind) == [.blocker] && found[0].evidence == ["the file is setuid"])
        expectBlocked("privileges", .isolated, evidence: "setuid(33)") { $0.identityChanges = ["setuid(33)"] }
        #expect(findings("privileges", Examples.program(), file: .notLookedAt("elsewhere")).map(\.kind) == [.unknown])
    }

    @Test
    func `nobody gives a distribution's program a handler, but a script that an interpreter is given may get one`() {
        let path = "/usr/bin/readlink"
        #expect(findings("foreign code", Examples.program(path)).map(\.rungs) == [[.runtime]])
        #expect(findings("foreign code", Examples.program("/opt/x")) == [])
        let python = Examples.program("/usr/bin/python3.11") {
            $0.examples = [.init(arguments: ["python3", "-I", "/opt/score.py"])]
        }
        #expect(findings("foreign code", python).map(\.kind) == [.note])
        let shell = Examples.program("/bin/sh") { $0.examples = [.init(arguments: ["sh", "/opt/job.sh"])] }
        #expect(findings("foreign code", shell).map(\.kind) == [.blocker])
    }

    @Test func `different arguments block a standby, and missed ones are unknown`() {
        let different = Examples.program { $0.examples.append(.init(arguments: ["/opt/bank/pricer", "-v"])) }
        #expect(findings("arguments", different).map(\.rungs) == [[.standby]])
        let missed = Examples.program { $0.argumentsMissed = 3 }
        #expect(findings("arguments", missed).map(\.kind) == [.unknown])
        #expect(findings("arguments", Examples.program { $0.examples = [] }).map(\.kind) == [.unknown])
    }

    @Test func `a program that does not read its input cannot stand by`() {
        expectBlocked("standard input", [.standby]) { $0.inheritedDescriptors[0].isUsed = false }
        expectBlocked("standard input", [.standby]) { $0.inheritedDescriptors.removeFirst() }
        let unclear = Examples.traced { $0.inheritedDescriptors[0].isUsed = nil }
        #expect(findings("standard input", unclear).map(\.kind) == [.unknown])
    }

    @Test func `sockets: servers and the network block functions, local services are a condition`() {
        expectBlocked("sockets", .functions, evidence: "listen") {
            $0.sockets = [.init(family: "inet", type: "stream", address: "0.0.0.0:80", action: .listen)]
        }
        expectBlocked("sockets", .functions, evidence: "10.0.0.1:5432") {
            $0.sockets = [.init(family: "inet", type: "stream", address: "10.0.0.1:5432", action: .connect)]
        }
        let local = Examples.traced {
            $0.sockets = [.init(family: "unix", type: "stream", address: "/run/postgresql/x", action: .connect)]
        }
        #expect(findings("sockets", local).map(\.kind) == [.condition])
    }

    @Test func `signals to others and calls on the machine block every other place`() {
        expectBlocked("signals", .isolated) { $0.signalsSent = ["SIGHUP to 1"] }
        expectBlocked("notable calls", .isolated, evidence: "mount, 2 times") { $0.notableCalls = ["mount": 2] }
        #expect(
            findings("notable calls", Examples.traced { $0.notableCalls = ["setsid": 1] }).map(\.kind) == [.condition])
    }

    @Test func `several users block what is started ahead, several directories are a condition`() {
        #expect(findings("users", Examples.program { $0.users = [0: 1, 33: 99] }).map(\.kind) == [.blocker])
        #expect(
            findings("working directory", Examples.program { $0.directories = ["/a": 1, "/b": 1] }).map(\.kind) == [
                .condition
            ])
    }

    @Test func `children come along, failures are told`() {
        #expect(
            findings("children", Examples.program { $0.children = ["/bin/sh": 2] })[0].evidence == ["/bin/sh, 2 times"])
        #expect(findings("outcomes", Examples.program { $0.exits[.exited(2)] = 3 }).map(\.kind) == [.note])
    }

    @Test func `a program that vanished, or is no program, goes nowhere`() {
        #expect(
            findings("identity", Examples.program(), file: .gone("open /x: No such file")).map(\.rungs) == [.isolated])
        #expect(findings("identity", Examples.program(), file: .notLookedAt("elsewhere")).map(\.kind) == [.unknown])
        #expect(
            findings("format", Examples.program(), file: .found(.init(form: .other("a picture")))).map(\.kind) == [
                .blocker
            ])
    }

    @Test func `what was not traced is unknown, and the plan provisional`() {
        let plan = Examples.plan(Examples.program())
        let rules = Set(plan.findings.filter { $0.kind == .unknown }.map(\.rule))
        #expect(
            rules == ["local state", "shared memory", "terminal", "inherited descriptors", "standard input", "sockets"])
        #expect(plan.isProvisional)
        #expect(plan.findings.allSatisfy { $0.kind == .unknown })
        #expect(!Examples.plan(Examples.traced()).isProvisional)
    }
}
