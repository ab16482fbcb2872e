import Linux
import OCI
import Spawn
import Testing

@testable import OCIRuntime

/// What a process goes through before its exec, read without running it.
@Suite struct ProcessStepsTests {
    private func steps(noNewPrivileges: Bool) throws -> [Step] {
        let text = """
            {"user":{"uid":1000,"gid":1001,"additionalGids":[7]},"args":["x"],"cwd":"/work","env":[],
             "noNewPrivileges":\(noNewPrivileges),
             "capabilities":{"bounding":["CAP_CHOWN"],"effective":["CAP_CHOWN"],"permitted":["CAP_CHOWN"],
                             "inheritable":["CAP_CHOWN"],"ambient":["CAP_CHOWN"]},
             "rlimits":[{"type":"RLIMIT_NOFILE","soft":8,"hard":9},{"type":"RLIMIT_CORE","soft":0,"hard":0}]}
            """
        let process = ProcessSteps(
            process: try ProcessSpec(Array(text.utf8)),
            filter: .init(program: [0, 0, 0, 0, 0, 0, 0, 0], flags: 0, hasListener: false),
            preserved: 2, isKeyringNew: true, lastCapability: 40)
        var program = StepProgram()
        let socket = program.slot()
        process.add(to: &program, ProcessSteps.Slots(socket: socket))
        return program.steps
    }

    private func position(_ steps: [Step], _ matches: (Step) -> Bool) -> Int { steps.firstIndex(where: matches) ?? -1 }

    @Test(arguments: [true, false])
    func `steps of a process stand in the order that the kernel demands`(_ noNewPrivileges: Bool) throws {
        let steps = try steps(noNewPrivileges: noNewPrivileges)
        let groups = position(steps) { $0 == .groups([7]) }
        let group = position(steps) { $0 == .gid(1001) }
        let user = position(steps) { $0 == .uid(1000) }
        let filter = position(steps) { if case .seccomp = $0 { true } else { false } }
        let limit = position(steps) { if case .limit(let limit) = $0 { limit.resource == .coreBytes } else { false } }
        let directory = position(steps) { $0 == .changeDirectoryInside("/work") }
        let check = position(steps) { $0 == .checkProgram }
        let close = position(steps) { $0 == .closeFrom(5) }
        let capabilities = position(steps) { if case .capabilities = $0 { true } else { false } }
        #expect(limit >= 0 && limit < groups && directory >= 0 && directory < groups)
        #expect(groups < group && group < user && user < capabilities && capabilities < check && check < close)
        // Without "no new privileges" loading a filter takes rights; with it, it is last.
        #expect(noNewPrivileges ? filter == steps.count - 1 : filter < groups && filter > 0)
    }

    private func steps(uid: Int, _ change: (inout ProcessSteps) -> Void = { _ in }) throws -> [Step] {
        let text = #"{"user":{"uid":\#(uid),"gid":0},"args":["x"],"cwd":"/","env":[]}"#
        var process = ProcessSteps(
            process: try ProcessSpec(Array(text.utf8)), filter: nil, preserved: 0, isKeyringNew: false,
            lastCapability: 40)
        change(&process)
        var program = StepProgram()
        let slots = ProcessSteps.Slots(socket: program.slot())
        process.add(to: &program, slots)
        return program.steps
    }

    @Test func `the streams are given to a user before the process becomes him`() throws {
        let steps = try steps(uid: 1000)
        let given = position(steps) { $0 == .giveStreams(1000) }
        let user = position(steps) { $0 == .uid(1000) }
        #expect(given >= 0 && given < user)
        let root = try self.steps(uid: 0)
        let none = position(root) { if case .giveStreams = $0 { true } else { false } }
        #expect(none == -1)
    }

    @Test func `all processors are asked for where the configuration says nothing of them`() throws {
        #expect(try steps(uid: 0).contains(.allProcessors))
        let chosen = try steps(uid: 0) { $0.affinity = [1, 0, 0, 0, 0, 0, 0, 0] }
        #expect(chosen.contains(.affinity([1, 0, 0, 0, 0, 0, 0, 0])) && !chosen.contains(.allProcessors))
        let kept = try steps(uid: 0) { $0.keepsProcessors = true }
        #expect(!kept.contains(.allProcessors))
    }
}
