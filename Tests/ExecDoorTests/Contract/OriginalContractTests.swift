import ExecDoor
import Linux
import Spawn
import TestKit
import Testing

/// What a program gets when its shim runs the original: everything that it would have got without the shim.
@Suite(.serialized, .leavesNothing) struct OriginalContractTests {
    static let suites = ["words", "places", "descriptors", "ends", "stops", "signals", "use", "orphans"]

    @Test func `the original gets exactly what the caller gave`() async throws {
        let stage = try DoorStage()
        try await stage.expectSame(Self.suites)
        await stage.close()
    }

    @Test func `the original by descriptor gets exactly what the caller gave`() async throws {
        let stage = try DoorStage(byDescriptor: true)
        try await stage.expectSame(Self.suites)
        await stage.close()
    }

    @Test func `without a node the original gets exactly what the caller gave`() async throws {
        let stage = try DoorStage(isOpen: false)
        try await stage.expectSame(Self.suites)
    }

    @Test func `a static program is run as well`() async throws {
        let stage = try DoorStage(program: try ToldProgram.staticPath(), byDescriptor: true)
        try await stage.expectSame(["words", "ends"])
        await stage.close()
    }

    @Test func `by descriptor proc self exe is the path that callers know`() async throws {
        let stage = try DoorStage(byDescriptor: true)
        let outcome = try await CommandRunner.run([stage.shim], environment: ["TELL_EXE=1"])
        #expect(outcome.text.contains("exe \(stage.direct.utf8.count) "))
        await stage.close()
    }

    @Test func `every call is recorded once with its status and what it took`() async throws {
        let stage = try DoorStage()
        for status in [0, 7, 255] {
            _ = try await CommandRunner.run([stage.shim, "--", "quiet", "exit", "\(status)"])
        }
        _ = try await CommandRunner.run([stage.shim, "--", "quiet", "die", "15"])
        // In the order of the calls: what a process has used may be told later than the next one's end.
        let records = try await stage.decider.settledRecords(4).sorted {
            $0.head.arrivedNanoseconds < $1.head.arrivedNanoseconds
        }
        #expect(records.count == 4)
        #expect(
            records.map(\.answer?.status) == [
                .exited(0), .exited(7), .exited(255), .signaled(15, coreDumped: false),
            ])
        #expect(records.allSatisfy { $0.way == .measured && $0.detour == nil && $0.decisionNanoseconds > 0 })
        #expect(records.allSatisfy { ($0.answer?.wallNanoseconds ?? 0) > $0.decisionNanoseconds })
        #expect(records[3].head.arguments.strings == [stage.shim, "--", "quiet", "die", "15"])
        #expect(records[0].head.uid == 0 || !isRoot)
        await stage.close()
        #expect(stage.decider.records.count == 4)
    }
}
