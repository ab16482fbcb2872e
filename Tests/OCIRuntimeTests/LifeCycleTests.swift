import JSON
import Linux
import OCIRuntime
import TestKit
import Testing

/// What may be done to a container when.
@Suite struct LifeCycleTests {
    typealias Action = ContainerStatus.Action

    /// The whole table: who is not in it is refused.
    static let allowed: [ContainerStatus: Set<Action>] = [
        .creating: [.look],
        .created: [.look, .start, .kill, .exec, .pause, .update],
        .running: [.look, .kill, .exec, .pause, .update],
        .paused: [.look, .kill, .resume, .update],
        .stopped: [.look, .delete],
    ]

    @Test(arguments: ContainerStatus.allCases)
    func `an action is allowed where the table says so and refused elsewhere`(_ status: ContainerStatus) {
        for action in Action.allCases {
            let isAllowed = Self.allowed[status]!.contains(action)
            #expect((status.refusal(of: action, id: "x") == nil) == isAllowed, "\(action) when \(status)")
        }
    }

    @Test func `refusals have the words that managers look for`() {
        #expect(ContainerStatus.stopped.refusal(of: .kill, id: "x") == "container not running")
        #expect(
            ContainerStatus.running.refusal(of: .delete, id: "x")
                == "cannot delete container x that is not stopped: running")
        #expect(ContainerStatus.stopped.refusal(of: .start, id: "x") == "cannot start a container that has stopped")
    }

    @Test func `a status is what is there now`() {
        func status(
            _ recorded: Bool, _ alive: Bool, _ waits: Bool, _ frozen: Bool, isBeingMade: Bool = false
        ) -> ContainerStatus {
            ContainerStatus(
                .init(
                    isRecorded: recorded, isAlive: alive, isBeingMade: isBeingMade, awaitsStart: waits,
                    isFrozen: frozen))
        }
        #expect(status(false, false, false, false) == .creating)
        #expect(status(true, false, true, false) == .stopped)
        #expect(status(true, true, true, false) == .created)
        #expect(status(true, true, true, true) == .paused)
        #expect(status(true, true, false, false) == .running)
        // One that was killed in the making has stopped.
        #expect(status(true, true, false, false, isBeingMade: true) == .creating)
        #expect(status(true, true, true, false, isBeingMade: true) == .creating)
        #expect(status(true, false, false, false, isBeingMade: true) == .stopped)
    }
}

/// The verbs with a real bundle.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(5))) struct LifeOfAContainerTests {
    @Test func `a container is created, started, looked at, killed and deleted`() async throws {
        let stage = try RuntimeStage()
        let id = stage.id()
        try stage.configure(["sleep", "1000"])
        try await stage.shellOutside("create --bundle \(stage.bundle) --pid-file \(stage.directory.path("pid")) \(id)")
        #expect(try await stage.status(id) == "created")
        #expect(try await stage.demand("exec", id, "id").contains("uid=0"))
        try await stage.demand("start", id)
        #expect(try await stage.status(id) == "running")
        #expect(try await stage("start", id).errorText.contains("cannot start an already running container"))
        #expect(try await stage("delete", id).errorText.contains("that is not stopped: running"))
        #expect(try await stage.demand("ps", "--format", "json", id).contains("\(try await stage.pid(id))"))
        #expect(try await stage.demand("list", "--quiet").split(separator: "\n").map(String.init) == [id])
        try await stage.demand("pause", id)
        #expect(try await stage.status(id) == "paused")
        try await stage.demand("resume", id)
        try await stage.demand("kill", id, "KILL")
        try await eventually { try await stage.status(id) == "stopped" }
        #expect(try await stage("kill", id, "KILL").errorText.contains("container not running"))
        #expect(try await stage("exec", id, "id").status == .exited(255))
        try await stage.demand("delete", id)
        #expect(try await stage("state", id).errorText.contains("container does not exist"))
        try await stage.demand("delete", "--force", id)
    }

    @Test func `a list names who made a container`() async throws {
        let stage = try RuntimeStage()
        let id = stage.id()
        try stage.configure(["sleep", "1000"])
        try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
        for (user, name) in [("0", "root"), ("54321", "#54321")] {
            try await CommandRunner.runQuietly(["chown", user, "\(stage.state)/\(id)"])
            let list = try JSONParser.parse(try await stage.demand("list", "--format", "json"))
            #expect(list.array?.first?["owner"]?.string == name, "\(list)")
            let lines = try await stage.demand("list").split(separator: "\n")
            #expect(lines.last?.hasSuffix(" " + name) == true, "\(lines)")
        }
    }

    @Test func `run ends with the program's status and leaves nothing`() async throws {
        let stage = try RuntimeStage()
        #expect(try await stage.shell("exit 7").status == .exited(7))
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `of two creates of one id one succeeds`() async throws {
        let stage = try RuntimeStage()
        let id = stage.id()
        try stage.configure(["sleep", "1000"])
        async let one: Void? = try? stage.shellOutside("create --bundle \(stage.bundle) \(id)")
        async let other: Void? = try? stage.shellOutside("create --bundle \(stage.bundle) \(id)")
        let made = [await one, await other].compactMap { $0 }.count
        #expect(made == 1)
        #expect(try await stage.status(id) == "created")
    }

    @Test func `a program that is not there is refused in the words that managers look for`() async throws {
        let stage = try RuntimeStage()
        for (program, words) in [
            ("nonexistent", "executable file not found in $PATH"), ("/nonexistent", "no such file or directory"),
            ("/etc", "permission denied"),
        ] {
            try stage.configure([program])
            let outcome = try await stage("run", "--bundle", stage.bundle, stage.id())
            #expect(outcome.status == .exited(1) && outcome.errorText.contains(words), "\(outcome.errorText)")
        }
        #expect(try await stage.demand("list", "--quiet") == "")
    }
}
