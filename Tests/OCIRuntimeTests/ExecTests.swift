import Linux
import OCI
import Spawn
import Testing

@testable import OCIRuntime

/// What an exec decides before it starts anything.
@Suite struct ExecTests {
    private func process(_ fields: String = "") throws -> ProcessSpec {
        try ProcessSpec(Array(#"{"user":{"uid":5,"gid":6},"args":["x"],"cwd":"/work","env":["A=1"]\#(fields)}"#.utf8))
    }

    @Test func `a capability is added where the configuration has none`() throws {
        var executing = Command.Executing(id: "c", arguments: ["x"])
        executing.capabilities = ["CAP_KILL"]
        let sets = try ExecProcess.change(try process(), executing).capabilities
        #expect(sets?.effective == ["CAP_KILL"] && sets?.permitted == ["CAP_KILL"] && sets?.bounding == ["CAP_KILL"])
        #expect(sets?.inheritable == [] && sets?.ambient == [])
        executing.capabilities = []
        #expect(try ExecProcess.change(try process(), executing).capabilities == nil)
    }

    @Test func `what the runtime has not is granted to nobody, and said`() throws {
        let sets = try process(
            #","capabilities":{"bounding":["CAP_KILL","CAP_CHOWN"],"effective":["CAP_CHOWN"],"permitted":["CAP_KILL"]}"#
        ).capabilities!
        let own = Capabilities(names: ["CHOWN", "MKNOD"])!
        #expect(sets.names(beyond: own) == ["CAP_KILL"])
        let granted = sets.cut(to: own)
        #expect(granted.bounding == ["CAP_CHOWN"] && granted.effective == ["CAP_CHOWN"] && granted.permitted == [])
        #expect(sets.names(beyond: .all) == [] && sets.cut(to: .all) == sets)
    }

    @Test func `room is made for limits above those in force and for no others`() throws {
        let limits = try process(#","rlimits":[{"type":"RLIMIT_NOFILE","soft":8,"hard":2000}]"#).limits
        let limit = try #require(limits.first)
        let room = RaisedLimits.room(for: limit, inForce: (soft: 1024, hard: 1999))
        // The soft one, which what the child opens must not meet yet, stays.
        #expect(room?.soft == 1024)
        #expect(room?.hard == 2000)
        for hard in [2000, UInt64.max] {
            let none = RaisedLimits.room(for: limit, inForce: (soft: 1024, hard: hard))
            #expect(none?.hard == nil)
        }
    }

    @Test func `a hook's streams are put in place in a table of its own`() throws {
        let joining = ProcessSteps(
            process: try process(), filter: nil, preserved: 0, isKeyringNew: true, lastCapability: 40)
        let program = ExecProgram(
            joining, joinCount: 0, hasUserNamespace: false, isRootChanged: false, isLabelled: false, affinity: nil,
            personality: 8, isHook: true)
        let steps = program.steps.steps
        guard let streams = program.streams else {
            Issue.record("no streams")
            return
        }
        let own = try #require(steps.firstIndex(of: .unshareFiles(lowest: 3)))
        let input = try #require(steps.firstIndex(of: .duplicate(streams.input, to: 0)))
        #expect(own < input)
        #expect(steps.contains(.duplicate(streams.output, to: 1)))
        #expect(steps.contains(.duplicate(streams.output, to: 2)))
        #expect(steps.contains(.personality(8)))
        #expect(steps.contains(.newKeyring))
    }

    @Test func `a hook inside is the container's process with another program`() throws {
        let text = #"""
            {"ociVersion":"1.2.0","root":{"path":"rootfs"},
             "process":{"terminal":true,"user":{"uid":5,"gid":6},"args":["x"],"cwd":"/work","env":["A=1"]},
             "hooks":{"startContainer":[{"path":"/bin/a","env":["B=2"]},{"path":"/bin/b","args":["b","c"]}]}}
            """#
        let spec = try RuntimeSpec(Array(text.utf8))
        let own = try #require(spec.process)
        let hooks = spec.hooks[.startContainer]
        let first = StartHooks.process(hooks[0], of: own)
        #expect(first.arguments == ["/bin/a"] && first.environment == ["B=2"] && !first.hasTerminal)
        #expect(first.user == own.user && first.workingDirectory == "/work")
        #expect(StartHooks.process(hooks[1], of: own).arguments == ["b", "c"])
    }
}
