import Glibc
import Linux
import Store
import Synchronization
import TestKit
import Testing

@testable import ExecDoor

/// What is written of shifts, and when.
@Suite struct ShiftJournalTests {
    private let directory: TemporaryDirectory
    private let database: StateDatabase
    private let journal: ShiftJournal

    init() throws {
        directory = try TemporaryDirectory("journal")
        database = try StateDatabase(path: directory.path("node.db"), migrations: ShiftTables.migrations)
        journal = ShiftJournal(database)
    }

    private func shift(_ stage: ShiftStage = .shadow) -> KeptShift {
        let spec = ShiftSpec(program: "/usr/bin/jq", target: ShiftTarget(.container), stage: stage)
        let identity = ProgramIdentity(device: 1, inode: 2, size: 3, modified: 4)
        let state = ShiftState(id: "jq-1", spec: spec, identity: identity, now: Timestamp(nanoseconds: 5))
        return KeptShift(state: state, seed: .max, mountedIn: "boot namespace")
    }

    private func entry(_ text: String) -> ShiftHistoryEntry {
        ShiftHistoryEntry(shift: "jq-1", at: Timestamp(nanoseconds: 7), kind: .changed, stage: "shadow", text: text)
    }

    private func texts() async throws -> [String] { try await journal.history(of: "jq-1", limit: 100).map(\.text) }

    /// Lets every change of the history fail, as on a disk that is full, or work again.
    private func makeRoom(_ hasRoom: Bool) async throws {
        try await database.write { store throws(StoreFailure) in
            try store.execute(
                hasRoom
                    ? "DROP TRIGGER full"
                    : "CREATE TRIGGER full BEFORE INSERT ON shiftHistory BEGIN SELECT RAISE(ABORT, 'no room'); END")
        }
    }

    @Test func `shifts and their history are read as they were written`() async throws {
        try await journal.commit(shift(), [entry("one")])
        journal.note(shift(.full), [entry("two"), entry("three")])
        #expect(try await texts() == ["one", "two", "three"])
        let kept = try await journal.shifts()
        #expect(kept.map(\.state.json) == [shift(.full).state.json])
        #expect(kept.first?.seed == .max)
        #expect(kept.first?.mountedIn == "boot namespace")
        #expect(try await journal.history(of: "jq-1", limit: 2).map(\.text) == ["two", "three"])
        #expect(try await journal.history(of: "other", limit: 2) == [])
    }

    @Test func `what happens while the disk is full is written when there is room`() async throws {
        try await makeRoom(false)
        journal.note(shift(), [entry("one")])
        await journal.flush()
        #expect(journal.failure != nil)
        journal.note(shift(.full), [entry("two")])
        await journal.flush()
        #expect(try await texts() == [])
        await #expect(throws: StoreFailure.self) { try await journal.commit(shift(), [entry("asked for")]) }
        try await makeRoom(true)
        journal.note(shift(.measure), [entry("three")])
        #expect(try await texts() == ["one", "two", "three"])
        #expect(journal.failure == nil)
        #expect(try await journal.shifts().map(\.state.stage) == [.measure])
    }

    @Test func `flushing waits for what is being written`() async throws {
        let gate = Gate()
        // The writer is held where a write of the journal's is under way.
        journal.note(shift(), [entry("one")])
        database.enqueue({ _ throws(StoreFailure) in gate.pass() }, then: { _ in })
        try await eventually("the writer waits") { gate.isWaitedFor }
        journal.note(shift(), [entry("two")])
        journal.note(shift(), [entry("three")])
        let flushing = Task {
            await journal.flush()
            return try await database.read { store throws(StoreFailure) in
                try ShiftRows.history(of: "jq-1", limit: 100, store).map(\.text)
            }
        }
        // Long enough for one that does not wait.
        try await Task.sleep(for: .milliseconds(20))
        gate.open()
        #expect(try await flushing.value == ["one", "two", "three"])
    }

    @Test func `a shift that never came to be is forgotten`() async throws {
        try await journal.commit(shift(), [])
        try await journal.remove("jq-1")
        #expect(try await journal.shifts() == [])
    }
}

/// Holds a thread until it is opened.
private final class Gate: Sendable {
    private let state = Mutex((isOpen: false, isWaitedFor: false))

    var isWaitedFor: Bool { state.withLock { $0.isWaitedFor } }

    func open() { state.withLock { $0.isOpen = true } }

    func pass() {
        while !state.withLock({ state in
            state.isWaitedFor = true
            return state.isOpen
        }) { usleep(1000) }
    }
}
