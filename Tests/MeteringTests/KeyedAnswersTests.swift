import Linux
import Metering
import Store
import Synchronization
import TestKit
import Testing

/// The contract of the book of keys, kept by the one in memory and by the one on disk.
struct KeyedAnswersTests {
    enum Kind: CaseIterable { case inMemory, onDisk }

    final class SetClock: Sendable {
        private let time = Mutex(Timestamp(nanoseconds: 1000))
        var now: Timestamp { time.withLock { $0 } }
        func advance(_ nanoseconds: Int) { time.withLock { $0.nanoseconds += nanoseconds } }
    }

    /// A book whose clock the test sets.
    final class Book: Sendable {
        let kind: Kind
        let clock = SetClock()
        private let directory: TemporaryDirectory
        private let state: Mutex<(any KeyedAnswers, LedgerFixture?)>
        private let runs = Mutex(1)

        init(_ kind: Kind) async throws {
            self.kind = kind
            directory = try TemporaryDirectory("keys")
            state = Mutex((TransientKeyBook(), nil))
            switch kind {
            case .inMemory:
                let book = TransientKeyBook(now: { [clock] in clock.now })
                state.withLock { $0 = (book, nil) }
            case .onDisk: try await open()
            }
        }

        private func open() async throws {
            let fixture = try await LedgerFixture(directory, now: { [clock] in clock.now })
            let run = runs.withLock { runs in
                runs += 1
                return "run \(runs)"
            }
            let book = KeyBook(fixture.ledger, run: run, now: { [clock] in clock.now })
            state.withLock { $0 = (book, fixture) }
        }

        /// As if the node had been killed and started again.
        func restart() async throws {
            if let memory = state.withLock({ $0.0 as? TransientKeyBook }) { memory.restart() } else { try await open() }
        }

        var fixture: LedgerFixture? { state.withLock { $0.1 } }

        func records() async throws -> Int {
            if let fixture { return try await fixture.texts().count }
            return state.withLock { ($0.0 as! TransientKeyBook).calls.count }
        }

        func claim(_ key: String, payload: String = "p1", request: String = "r1", function: String = "pay", expiry: Int = 60) -> KeyClaim {
            KeyClaim(
                function: function, key: key, payloadDigest: payload, requestID: request, now: clock.now,
                expirySeconds: expiry)
        }

        func begin(_ claim: KeyClaim) async throws -> KeyFinding {
            let book = state.withLock { $0.0 }
            return try await withCheckedContinuation { continuation in
                book.begin(claim) { continuation.resume(returning: $0) }
            }.get()
        }

        func complete(_ claim: KeyClaim, _ answer: String) async throws {
            let book = state.withLock { $0.0 }
            try await withCheckedContinuation { continuation in
                book.complete(claim, answer: KeyedAnswersTests.answer(answer, claim), call: SampleCalls.plain(1)) {
                    continuation.resume(returning: $0)
                }
            }.get()
        }

        func giveUp(_ claim: KeyClaim) async throws {
            let book = state.withLock { $0.0 }
            try await withCheckedContinuation { continuation in
                book.giveUp(claim, call: SampleCalls.plain(1)) { continuation.resume(returning: $0) }
            }.get()
        }
    }

    static func answer(_ text: String, _ claim: KeyClaim) -> KeyedAnswer {
        KeyedAnswer(
            payload: Array(text.utf8), contentType: text.isEmpty ? nil : "application/json",
            functionError: text == "bad" ? "Unhandled" : nil, version: "3", requestID: claim.requestID)
    }

    @Test(arguments: Kind.allCases)
    func `a repeated key replays the first answer`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        for text in ["{\"ok\":true}", "", "bad"] {
            let claim = book.claim("key " + text)
            #expect(try await book.begin(claim) == .new(mayHaveRun: false))
            try await book.complete(claim, text)
            let again = book.claim("key " + text, request: "r2")
            #expect(try await book.begin(again) == .replay(Self.answer(text, claim)))
        }
        #expect(try await book.records() == 3)
    }

    @Test(arguments: Kind.allCases)
    func `an answer outlives the node`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        let claim = book.claim("k")
        _ = try await book.begin(claim)
        try await book.complete(claim, "one")
        try await book.restart()
        #expect(try await book.begin(book.claim("k", request: "r2")) == .replay(Self.answer("one", claim)))
    }

    @Test(arguments: Kind.allCases)
    func `another payload under the same key is a conflict`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        let claim = book.claim("k")
        _ = try await book.begin(claim)
        #expect(try await book.begin(book.claim("k", payload: "p2", request: "r2")) == .conflict(firstRequestID: "r1"))
        try await book.complete(claim, "one")
        #expect(try await book.begin(book.claim("k", payload: "p2", request: "r3")) == .conflict(firstRequestID: "r1"))
        #expect(try await book.begin(book.claim("k", payload: "p1", request: "r4")) == .replay(Self.answer("one", claim)))
    }

    @Test(arguments: Kind.allCases)
    func `a key belongs to one function`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        #expect(try await book.begin(book.claim("k", function: "a")) == .new(mayHaveRun: false))
        #expect(try await book.begin(book.claim("k", function: "b")) == .new(mayHaveRun: false))
        #expect(try await book.begin(book.claim("", function: "a")) == .new(mayHaveRun: false))
    }

    @Test(arguments: Kind.allCases)
    func `of many claims at once exactly one is new`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        let findings = try await withThrowingTaskGroup(of: KeyFinding.self) { group in
            for number in 0..<40 { group.addTask { try await book.begin(book.claim("k", request: "r\(number)")) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(findings.filter { $0 == .new(mayHaveRun: false) }.count == 1)
        #expect(Set(findings).count == 2)
    }

    @Test(arguments: Kind.allCases)
    func `a call that was given up may run again`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        let claim = book.claim("k")
        _ = try await book.begin(claim)
        #expect(try await book.begin(book.claim("k", request: "r2")) == .inProgress(requestID: "r1"))
        // Somebody else's mark cannot be taken back.
        try await book.giveUp(book.claim("k", request: "r2"))
        #expect(try await book.begin(book.claim("k", request: "r2")) == .inProgress(requestID: "r1"))
        try await book.giveUp(claim)
        #expect(try await book.begin(book.claim("k", payload: "p2", request: "r2")) == .new(mayHaveRun: false))
        #expect(try await book.records() == 2)
    }

    @Test(arguments: Kind.allCases)
    func `an answer is never given up`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        let claim = book.claim("k")
        _ = try await book.begin(claim)
        try await book.complete(claim, "one")
        try await book.giveUp(claim)
        #expect(try await book.begin(claim) == .replay(Self.answer("one", claim)))
    }

    @Test(arguments: Kind.allCases)
    func `a mark of a run that was killed is given up`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        _ = try await book.begin(book.claim("k"))
        try await book.restart()
        #expect(try await book.begin(book.claim("k", payload: "p2", request: "r2")) == .conflict(firstRequestID: "r1"))
        let again = book.claim("k", request: "r2")
        #expect(try await book.begin(again) == .new(mayHaveRun: true))
        #expect(try await book.begin(book.claim("k", request: "r3")) == .inProgress(requestID: "r2"))
        try await book.complete(again, "one")
        #expect(try await book.begin(book.claim("k", request: "r3")) == .replay(Self.answer("one", again)))
    }

    @Test(arguments: Kind.allCases)
    func `an answer is kept for its time, from its end on`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        let claim = book.claim("k")
        _ = try await book.begin(claim)
        book.clock.advance(50_000_000_000)
        try await book.complete(claim, "one")
        book.clock.advance(59_999_999_999)
        #expect(try await book.begin(book.claim("k", request: "r2")) == .replay(Self.answer("one", claim)))
        book.clock.advance(1)
        #expect(try await book.begin(book.claim("k", payload: "p2", request: "r2")) == .new(mayHaveRun: false))
    }

    @Test(arguments: Kind.allCases)
    func `a call that takes longer than the expiry keeps its key`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        _ = try await book.begin(book.claim("k"))
        book.clock.advance(900_000_000_000)
        #expect(try await book.begin(book.claim("k", request: "r2")) == .inProgress(requestID: "r1"))
    }

    @Test(arguments: Kind.allCases)
    func `an expiry beyond all time is the end of time`(_ kind: Kind) async throws {
        let book = try await Book(kind)
        let claim = book.claim("k", expiry: .max)
        _ = try await book.begin(claim)
        try await book.complete(claim, "one")
        #expect(try await book.begin(book.claim("k", request: "r2")) == .replay(Self.answer("one", claim)))
    }

    @Test func `an answer and its record are written together`() async throws {
        let book = try await Book(.onDisk)
        let claim = book.claim("k")
        _ = try await book.begin(claim)
        try await book.fixture!.database.write { store throws(StoreFailure) in
            try store.execute(
                "CREATE TRIGGER noMore BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'as a test wants it'); END")
        }
        await #expect(throws: StoreFailure.self) { try await book.complete(claim, "one") }
        #expect(try await book.begin(book.claim("k", request: "r2")) == .inProgress(requestID: "r1"))
        #expect(try await book.records() == 0)
    }

    @Test func `expired answers are cleaned away`() async throws {
        let book = try await Book(.onDisk)
        for number in 0..<10 {
            let claim = book.claim("old \(number)", expiry: 1)
            _ = try await book.begin(claim)
            try await book.complete(claim, "x")
        }
        let running = book.claim("running", expiry: 1)
        _ = try await book.begin(running)
        book.clock.advance(2_000_000_000)
        for number in 0..<3 { _ = try await book.begin(book.claim("new \(number)")) }
        let keys = try await book.fixture!.database.read { store throws(StoreFailure) in
            try store.query("SELECT key FROM keyAnswers ORDER BY key").map { $0.text(0)! }
        }
        #expect(keys == ["new 0", "new 1", "new 2", "running"])
    }
}
