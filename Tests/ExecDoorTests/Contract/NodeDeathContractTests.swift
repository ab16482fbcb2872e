import Engine
import ExecDoor
import Keeper
import Linux
import TestKit
import Testing

/// Nodes that end while targets run: nothing is lost, nothing is done twice.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct NodeDeathContractTests {
    @Test(arguments: ["before its first byte", "after its first byte"])
    func `a target outlives its node and answers through the next`(when: String) async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(.process, dropsDescriptors: true)
        let stage = try DoorStage { _ in .target(target) }
        let words =
            when.hasPrefix("after")
            ? ["say", "early", "sleep", "900", "say", "late"] : ["sleep", "900", "say", "earlylate"]
        async let outcome = CommandRunner.run(
            [stage.shim, "--", "quiet"] + words + ["exit", "5"], environment: ["A=1"])
        try await eventually("the target runs") { stage.door.counts.running == 1 || !stage.decider.records.isEmpty }
        // Some time after its start, which is when the shim must not run the original any more.
        try await eventually("the keeper runs it") { try await keeper.running() == 1 || stage.door.counts.running == 0 }
        try await Task.sleep(for: .milliseconds(300))
        // The node's door and its link end, the keeper runs on.
        await stage.close()
        await keeper.leave()
        let next = try await KeeperStage(keeper.directory)
        let door = ExecDoor(stage.settings, decider: stage.decider, resumption: next.sandboxes)
        try door.start()
        let result = try await outcome
        #expect(result.status == .exited(5))
        #expect(result.text == "earlylate")
        await door.stop()
        try await next.end()
    }

    @Test func `a target nobody asks for is killed`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(.process, dropsDescriptors: true)
        let stage = try DoorStage(resumeSeconds: 5) { _ in .target(target) }
        async let outcome = CommandRunner.run(
            [stage.shim, "--", "quiet", "sleep", "60000"], environment: ["A=1"], within: .seconds(30))
        // From then on the shim does not run the original.
        try await eventually("the keeper runs the target") { try await keeper.running() == 1 }
        await stage.close()
        await keeper.leave()
        // Its shim finds no door and gives up after its five seconds.
        let next = try await KeeperStage(keeper.directory, orphanTime: .milliseconds(300))
        #expect(try await outcome.status == .signaled(9, coreDumped: false))
        try await eventually("the keeper runs nothing any more") { try await next.running() == 0 }
        try await next.end()
    }

    @Test func `a target of which nobody knows any more ends its call like a kill`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(.process, dropsDescriptors: true)
        let stage = try DoorStage { _ in .target(target) }
        async let outcome = CommandRunner.run([stage.shim, "--", "quiet", "sleep", "60000"], environment: ["A=1"])
        // From then on the shim does not run the original.
        try await eventually("the keeper runs the target") { try await keeper.running() == 1 }
        await stage.close()
        try await keeper.end()
        // The keeper that ends may still answer.
        let next = try await eventuallySome("another keeper") { try? await KeeperStage(keeper.directory) }
        let door = ExecDoor(stage.settings, decider: stage.decider, resumption: next.sandboxes)
        try door.start()
        #expect(try await outcome.status == .signaled(9, coreDumped: false))
        await door.stop()
        try await next.end()
    }

    @Test func `a call whose process is killed takes its target along`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(.process, dropsDescriptors: true)
        let stage = try DoorStage { _ in .target(target) }
        let go = stage.directory.path("go")
        let untilTold = "until [ -e '\(go)' ]; do sleep 0.05; done"
        let script = "'\(stage.shim)' -- quiet sleep 60000 & \(untilTold); kill -9 $!; wait $!; echo $?"
        async let calling = CommandRunner.run(["sh", "-c", script], environment: ["A=1", "PATH=/usr/bin:/bin"])
        try await eventually("the keeper runs the target") { try await keeper.running() == 1 }
        try Files.replace(go, with: [])
        let outcome = try await calling
        #expect(outcome.text.hasSuffix("137\n"))
        try await eventually("the target is gone") { stage.door.counts.running == 0 }
        let record = try #require(try await stage.decider.settledRecords(1).first)
        #expect(record.answer?.status == .signaled(9, coreDumped: false), "\(record.detour ?? "")")
        await stage.close()
        try await keeper.end()
    }
}
