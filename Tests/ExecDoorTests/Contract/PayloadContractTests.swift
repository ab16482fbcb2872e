import ExecDoor
import Linux
import Spawn
import Synchronization
import TestKit
import Testing

/// Calls that a function or a service answers.
@Suite(.serialized, .leavesNothing) struct PayloadContractTests {
    /// Answers as it is told, and keeps what it was asked.
    final class StagedAnswerer: PayloadAnswerer {
        private let reply: @Sendable (CallPayload) throws(PayloadFailure) -> PayloadAnswer
        private let seen = Mutex<[CallPayload]>([])

        init(_ reply: @escaping @Sendable (CallPayload) throws(PayloadFailure) -> PayloadAnswer) { self.reply = reply }

        func answer(_ payload: CallPayload) async throws(PayloadFailure) -> PayloadAnswer {
            seen.withLock { $0.append(payload) }
            return try reply(payload)
        }

        var payloads: [CallPayload] { seen.withLock { $0 } }
    }

    @Test func `standard input becomes the payload and the answer standard output`() async throws {
        let answerer = StagedAnswerer { PayloadAnswer(output: Array($0.input.reversed()), errors: [33], status: 6) }
        let stage = try DoorStage { _ in .target(PayloadTarget(answerer)) }
        let input = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let outcome = try await CommandRunner.run([stage.shim, "-v", "a b"], input: input)
        #expect(outcome.status == .exited(6))
        #expect(outcome.output == input.reversed())
        #expect(outcome.errors == [33])
        #expect(answerer.payloads.first?.words == ["-v", "a b"])
        await stage.close()
    }

    @Test func `what was not run the original does, with the whole input`() async throws {
        let answerer = StagedAnswerer { _ throws(PayloadFailure) in throw .notRun("too many calls") }
        let stage = try DoorStage(byDescriptor: true) { _ in .target(PayloadTarget(answerer)) }
        let input = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let piped = try await CommandRunner.run([stage.shim, "--", "quiet", "copy", "0", "exit", "2"], input: input)
        #expect(piped.status == .exited(2))
        #expect(piped.output == input)
        let file = stage.directory.path("input")
        try Files.replace(file, with: input)
        let script = "'\(stage.shim)' -- quiet copy 0 <'\(file)'"
        #expect(try await CommandRunner.run(["sh", "-c", script]).output == input)
        let records = try await stage.decider.settledRecords(2)
        #expect(records.map(\.detour) == ["too many calls", "too many calls"])
        await stage.close()
    }

    @Test func `what may have been run is not run again`() async throws {
        let answerer = StagedAnswerer { _ throws(PayloadFailure) in throw .unknown("the connection broke") }
        let stage = try DoorStage { _ in .target(PayloadTarget(answerer)) }
        let outcome = try await CommandRunner.run([stage.shim, "--", "quiet", "say", "again"], input: [1])
        #expect(outcome.status == .signaled(9, coreDumped: false))
        #expect(outcome.output == [])
        await stage.close()
    }

    @Test func `a wrapped call and its answer`() throws {
        let head = CallHead(
            shift: "s", arguments: ["price", "-v"], environment: ["LANG=C", "odd"], pid: 1, uid: 0, gid: 0,
            arrivedAt: Clock.now(),
            arrivedNanoseconds: 0)
        let payload = CallPayload(head: head, directory: "/srv", input: [0xff])
        #expect(
            String(decoding: payload.bytes(.wrapped), as: UTF8.self)
                == #"{"arguments":["price","-v"],"environment":{"LANG":"C"},"directory":"/srv","inputBase64":"/w=="}"#)
        #expect(payload.bytes(.plain) == [0xff])
        #expect(payload.clientContext == #"{"custom":{"arguments":["-v"],"directory":"/srv"}}"#)
        let answer = PayloadAnswer(wrapped: Array(#"{"output":"a","errorsBase64":"/w==","status":3}"#.utf8))
        #expect(answer == PayloadAnswer(output: [97], errors: [0xff], status: 3))
        for wrong in ["", "[]", "{\"status\":256}", "{\"outputBase64\":\"?\"}", "{\"output\":3,\"status\":-1}"] {
            #expect(PayloadAnswer(wrapped: Array(wrong.utf8)) == nil, "\(wrong)")
        }
    }
}
