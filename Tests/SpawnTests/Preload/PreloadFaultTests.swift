import Linux
import TestKit
import Testing

/// What goes wrong between fork and exec.
@Suite(.enabled(if: isRoot)) struct PreloadFaultTests {
    @Test func `a parent killed in the window takes the child along`() async throws {
        let stage = try await PreloadStage.shared.value
        let before = await Census.take(Census.Scope(only: [.process]))
        for name in ["parent-killed", "parent-killed-closed"] {
            let run = try await stage.preloaded([stage.cases, name])
            #expect(run.text == "the child: gone\n", "\(name)")
        }
        #expect(await Census.settled(since: before) == [])
    }

    @Test func `a stopped child does not stop its parent`() async throws {
        #expect(try await PreloadStage.shared.value.same("child-stopped").settled == 1)
    }

    @Test func `without the right to userfaultfd every fork is an ordinary one, and the log says why`() async throws {
        let run = try await PreloadStage.shared.value.same("unprivileged")
        #expect(run.windows == 0)
        #expect(run.log.count { $0.contains("userfaultfd(2): ") && $0.contains("vm.unprivileged_userfaultfd=1") } == 1)
    }

    @Test(.enabled(if: Files.exists("/dev/userfaultfd"))) func `the device is enough of a right`() async throws {
        #expect(try await PreloadStage.shared.value.same("device").windows == 1)
    }

    @Test func `a fork that the kernel refuses is refused, and leaves nothing`() async throws {
        #expect(try await PreloadStage.shared.value.same("no-more-processes").windows == 4)
    }

    @Test func `a process without descriptors to spare forks ordinarily`() async throws {
        try await PreloadStage.shared.value.same("no-descriptors")
    }

    @Test func `a child that cannot be prepared is made again, ordinarily`() async throws {
        let stage = try await PreloadStage.shared.value
        let run = try await stage.preloaded(
            [stage.cases, "obstacles"], others: [stage.obstacles], variables: ["OBSTACLES=adopt"])
        #expect(run.text == "with obstacles: exited 0\nwithout: exited 0\nchildren left: 0\n")
        #expect(run.log.contains { $0.contains(": withdrawn after ") })
    }

    @Test func `a child for which there is no memory is killed, not left with zeros`() async throws {
        let stage = try await PreloadStage.shared.value
        let run = try await stage.preloaded(
            [stage.cases, "obstacles"], others: [stage.obstacles], variables: ["OBSTACLES=copy"])
        #expect(run.text == "with obstacles: killed by 9\nwithout: exited 0\nchildren left: 0\n")
        #expect(run.log.contains { $0.contains(": starved after ") })
    }
}
