import Engine
import ExecDoor
import Linux
import TestKit
import Testing

/// What callers see of a call that is shadowed, and what is seen of both sides.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct ShadowContractTests {
    @Test func `a shadowed call is answered as by the original`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(.process)
        var rules = ShadowRules()
        rules.patience = .seconds(2)
        let bounds = rules
        let stage = try DoorStage(byDescriptor: true) { _ in .shadow(target, bounds) }
        try await stage.expectSame(["ends", "orphans", "streams", "stops"])
        let records = try await stage.decider.settledRecords()
        #expect(records.filter { $0.way == .shadow }.count > records.count / 2, "\(Set(records.compactMap(\.detour)))")
        await stage.close()
        try await keeper.end()
    }

    @Test func `both sides of a shadowed call are seen`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(.process, dropsDescriptors: true)
        let stage = try DoorStage { _ in .shadow(target, ShadowRules()) }
        let input = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
        let outcome = try await CommandRunner.run(
            [stage.shim, "--", "quiet", "copy", "0", "complain", "oops", "exit", "4"], input: input,
            environment: ["A=1"])
        #expect(outcome.status == .exited(4))
        #expect(outcome.output == input)
        let record = try #require(try await stage.decider.settledRecords(1).first)
        let shadow = try #require(record.shadow, "\(record.detour ?? "")")
        #expect(shadow.reason == nil)
        #expect(shadow.outcome?.status == .exited(4))
        #expect(record.answer?.status == .exited(4))
        #expect(shadow.originalOutput.bytes == input)
        #expect(shadow.targetOutput.bytes == input)
        #expect(shadow.originalErrors.bytes == Array("oops".utf8))
        #expect(shadow.targetErrors.bytes == Array("oops".utf8))
        await stage.close()
        try await keeper.end()
    }

    @Test func `what a shadow writes is gone with it`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(try KeeperStage.machine(), dropsDescriptors: true)
        let stage = try DoorStage { _ in .shadow(target, ShadowRules()) }
        let told = stage.directory.path("told")
        // Both sides tell into the same file: the caller finds what the original told, once.
        let outcome = try await CommandRunner.run([stage.shim, "--", "exit", "0"], environment: ["TOLD_TO=\(told)"])
        #expect(outcome.status == .exited(0))
        let record = try #require(try await stage.decider.settledRecords(1).first)
        #expect(record.shadow?.outcome?.status == .exited(0), "\(record.detour ?? "") \(record.shadow?.reason ?? "")")
        let text = try Files.readText(told)
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("argc ") }.count == 1)
        await stage.close()
        try await keeper.end()
    }
}
