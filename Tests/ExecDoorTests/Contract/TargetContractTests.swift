import Engine
import ExecDoor
import Functions
import Linux
import TestKit
import Testing

/// What callers see when a target answers: the same as of the original, and where it could not be the same, the original.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct TargetContractTests {
    static let suites = ["words", "places", "descriptors", "ends", "stops", "signals", "orphans"]

    @Test func `a call is answered by a target as by the original`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(.process)
        let stage = try DoorStage { _ in .target(target) }
        try await stage.expectSame(Self.suites, elsewhere: true)
        let records = try await stage.decider.settledRecords()
        #expect(
            records.filter { $0.way == .target && $0.detour == nil }.count > records.count / 2,
            "\(Set(records.compactMap(\.detour)))")
        await stage.close()
        try await keeper.end()
    }

    @Test func `a call is answered from a container as by the original`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(try KeeperStage.machine())
        let stage = try DoorStage { _ in .target(target) }
        try await stage.expectSame(["descriptors", "ends", "stops", "orphans"], elsewhere: true)
        let records = try await stage.decider.settledRecords()
        #expect(
            records.filter { $0.way == .target && $0.detour == nil }.count > records.count / 2,
            "\(Set(records.compactMap(\.detour)))")
        await stage.close()
        try await keeper.end()
    }

    @Test func `what a target cannot keep the original does, and the record says why`() async throws {
        let keeper = try await KeeperStage()
        let target = try keeper.target(.process)
        let stage = try DoorStage { _ in .target(target) }
        try await stage.expectSame(["signals", "places", "descriptors"], elsewhere: true)
        let detours = try await stage.decider.settledRecords().compactMap(\.detour)
        #expect(detours.contains { $0.contains("it uses a terminal") }, "\(Set(detours))")
        #expect(detours.contains { $0.contains("its stream 0 is closed") })
        #expect(detours.contains { $0.contains("it inherits the descriptors") })
        #expect(detours.contains { $0.contains("its working directory was deleted") })
        #expect(detours.contains { $0.contains("it has a scheduling policy of its own") })
        await stage.close()
        try await keeper.end()
    }

    @Test func `a standby answers as the original does`() async throws {
        let keeper = try await KeeperStage()
        let target = StandbyTarget(
            keeper.shelf, ground: try keeper.target(.process, dropsDescriptors: true),
            pool: PoolConfiguration(minimum: 1, maximum: 4))
        let stage = try DoorStage { _ in .target(target) }
        for round in 1...5 {
            let input = Array("round \(round)\n".utf8) + [UInt8](repeating: 7, count: 200_000)
            let outcome = try await CommandRunner.run(
                [stage.shim, "--", "quiet", "copy", "0", "exit", "9"], input: input, environment: ["A=1"])
            #expect(outcome.status == .exited(9))
            #expect(outcome.output == input)
        }
        let records = try await stage.decider.settledRecords(5)
        #expect(records.allSatisfy { $0.way == .target && $0.detour == nil }, "\(records.map(\.detour))")
        await stage.close()
        try await keeper.end()
    }
}
