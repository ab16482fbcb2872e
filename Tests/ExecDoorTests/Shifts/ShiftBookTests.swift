import Linux
import Metering
import Spawn
import Store
import Synchronization
import TestKit
import Testing

@testable import ExecDoor

/// What the book decides, and what it counts.
@Suite struct ShiftBookTests {
    private let ledger = NotedCalls()
    private let book: ShiftBook

    init() {
        book = ShiftBook(ledger: ledger) { _, _ in }
    }

    private func head(_ pid: Int32, shift: String = "jq-1") -> CallHead {
        CallHead(
            shift: shift, arguments: ["jq", "."], environment: [], pid: pid, uid: 0,
            gid: 0, arrivedAt: Timestamp(nanoseconds: 1), arrivedNanoseconds: Int(pid))
    }

    private func put(_ stage: ShiftStage, target: (any CallTarget)? = NoTarget(), control: Int = 0) {
        let spec = ShiftSpec(
            program: "/usr/bin/jq", target: ShiftTarget(.container), stage: stage, controlPercent: control,
            outputFiles: ["out.csv"])
        let identity = ProgramIdentity(device: 1, inode: 2, size: 3, modified: 4)
        let state = ShiftState(id: "jq-1", spec: spec, identity: identity, now: Timestamp(nanoseconds: 0))
        var entry = ShiftBook.Entry(state: state, seed: 7)
        entry.target = target
        entry.control = control > 0 ? NoTarget() : nil
        book.put(entry)
    }

    private var state: ShiftState { get throws { try #require(book.entry("jq-1")).state } }

    private func record(_ pid: Int32, _ way: CallRecord.Way, output: (String, String)? = nil) -> CallRecord {
        let outcome = CallOutcome(status: .exited(0), usage: nil, wallNanoseconds: 2_000_000)
        var record = CallRecord(head: head(pid), way: way, decisionNanoseconds: 1000, answer: outcome)
        guard let output else { return record }
        var (original, target) = (CapturedStream(), CapturedStream())
        original.add(Array(output.0.utf8)[...], keeping: 100)
        target.add(Array(output.1.utf8)[...], keeping: 100)
        record.shadow = ShadowOutcome(
            outcome: outcome, reason: nil, originalOutput: original, originalErrors: CapturedStream(),
            targetOutput: target, targetErrors: CapturedStream())
        return record
    }

    @Test func `a decision is made while the database waits`() async throws {
        let directory = try TemporaryDirectory("book")
        let database = try StateDatabase(path: directory.path("node.db"), migrations: ShiftTables.migrations)
        let journal = ShiftJournal(database)
        let gate = Mutex(false)
        database.enqueue({ _ throws(StoreFailure) in while !gate.withLock({ $0 }) {} }, then: { _ in })
        put(.full)
        let entry = try #require(book.entry("jq-1"))
        journal.note(KeptShift(state: entry.state, seed: entry.seed, mountedIn: ""))
        // These return while the writer is held, or never.
        #expect(book.decide(head(1)) != nil)
        book.ended(record(1, .target))
        #expect(try state.counts.calls == 1)
        gate.withLock { $0 = true }
        await journal.flush()
    }

    @Test func `every call is counted and recorded once`() async throws {
        put(.shadow)
        for pid in Int32(1)...20 {
            _ = book.decide(head(pid))
            book.ended(record(pid, .shadow, output: ("a\n", pid == 3 ? "b\n" : "a\n")))
        }
        try await eventually("all are compared") { try state.counts.compared == 20 }
        #expect(try state.counts.calls == 20)
        #expect(try state.original.runs == 20)
        #expect(try state.shadow.runs == 20)
        #expect(try state.differing == 1)
        #expect(try state.firstDifference?.contains("stdout line 1") == true)
        #expect(ledger.calls.filter { $0.source == "exec" && $0.version == "original" }.count == 20)
        #expect(ledger.calls.filter { $0.source == "shadow" && $0.version == "container" }.count == 20)
        #expect(ledger.calls.count == 40)
        #expect(Set(ledger.calls.map(\.function)) == ["shift:jq-1"])
    }

    @Test func `without its target a shift runs the original`() throws {
        for stage in [ShiftStage.shadow, .full] {
            put(stage, target: nil)
            for pid in Int32(1)...10 {
                guard case .measured? = book.decide(head(pid))?.way else {
                    Issue.record("a call went elsewhere in \(stage)")
                    continue
                }
            }
        }
    }

    @Test func `a call of no shift of ours is the original's`() throws {
        put(.full)
        #expect(book.decide(head(1, shift: "other")) == nil)
        book.ended(record(1, .measured))
        #expect(try state.counts.calls == 1)
        book.remove("jq-1")
        #expect(book.decide(head(2)) == nil)
        book.ended(record(2, .measured))
        #expect(ledger.calls.count == 1)
    }

    @Test func `a shadow looks at the declared files`() throws {
        put(.shadow)
        guard case .shadow(_, let rules)? = book.decide(head(1))?.way else {
            Issue.record("it is not shadowed")
            return
        }
        #expect(rules.outputFiles == ["out.csv"])
    }

    @Test func `what a second run of the original shows is noise and no difference`() async throws {
        put(ShiftStage.shadow, control: 100)
        for pid in Int32(1)...10 {
            _ = book.decide(head(pid))
            book.ended(record(pid, .shadow, output: ("at \(pid)\n", "at \(pid + 1)\n")))
        }
        try await eventually("noise is learned") { try state.noise != NoiseBaseline() }
        #expect(try state.differing == 0)
        #expect(try state.shadow.runs == 0)
        #expect(ledger.calls.filter { $0.source == "control" }.count == 10)
    }

    @Test func `only what has changed is written again`() throws {
        put(.full)
        #expect(book.takeDirty().isEmpty)
        book.ended(record(1, .target))
        #expect(book.takeDirty().map(\.state.id) == ["jq-1"])
        #expect(book.takeDirty().isEmpty)
    }

    @Test func `what is asked in vain changes nothing`() throws {
        put(.full)
        #expect(throws: ShiftProblem.self) { try book.ask("jq-1", .asked(.resume)) }
        #expect(throws: ShiftProblem.self) { try book.ask("other", .asked(.rollback)) }
        #expect(book.takeDirty().isEmpty)
    }
}

/// A target that is never run here.
struct NoTarget: CallTarget {
    func obstacles(to call: ShimCall) -> [String] { [] }
    func run(_ call: ShimCall, _ streams: CallStreams, _ control: CallControl) async -> CallEnd { .refused("a test's") }
}

/// A ledger that remembers.
final class NotedCalls: CallLedger {
    private let noted = Mutex<[MeteredCall]>([])

    var calls: [MeteredCall] { noted.withLock { $0 } }

    func append(_ call: MeteredCall) { noted.withLock { $0.append(call) } }

    func commit(
        _ call: MeteredCall, with change: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Void,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        append(call)
        then(.success(()))
    }

    var refusal: StoreFailure? { nil }
}
