import Linux
import Store
import Synchronization
import TestKit
import Testing

/// What is written is there, in order, or not at all.
struct StateDatabaseTests {
    static let migrations = [
        StoreMigration("words-1", "CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);")
    ]

    static func open(_ directory: TemporaryDirectory) throws -> StateDatabase {
        try StateDatabase(path: directory.path("node.db"), migrations: migrations)
    }

    static func words(_ database: StateDatabase) async throws -> [String] {
        try await database.read { reader throws(StoreFailure) in
            try reader.query("SELECT word FROM words ORDER BY id").map { $0.text(0)! }
        }
    }

    @Test func `every kind of value comes back as it was written`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try Self.open(directory)
        let values: [StoreValue] = [
            .null, .integer(.min), .integer(.max), .real(0.1), .text(""), .text("a\0é🙂"), .blob([]), .blob([0, 255, 7]),
        ]
        let read = try await database.write { store throws(StoreFailure) in
            try store.query("SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8", values)
        }
        #expect(read == [StoreRow(values)])
    }

    @Test func `every connection syncs before it acknowledges`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try Self.open(directory)
        let synchronous = try await database.write { store throws(StoreFailure) in
            try store.query("PRAGMA synchronous").first!.integer(0)
        }
        #expect(synchronous == 2, "2 is FULL")
        let mode = try await database.read { reader throws(StoreFailure) in
            try reader.query("PRAGMA journal_mode").first!.text(0)
        }
        #expect(mode == "wal")
    }

    @Test func `the file and those beside it are for its owner only`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try Self.open(directory)
        for file in ["node.db", "node.db-wal", "node.db-shm"] {
            #expect(try Files.status(directory.path(file)).permissions == 0o600, "\(file)")
        }
        await database.close()
    }

    @Test func `changes of many writers are made one after the other, all of them`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try Self.open(directory)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    for number in 0..<50 {
                        try await database.write { store throws(StoreFailure) in
                            try store.execute("INSERT INTO words (word) VALUES (?1)", [.text("\(writer).\(number)")])
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let words = try await Self.words(database)
        #expect(words.count == 800)
        for writer in 0..<16 {
            #expect(words.filter { $0.hasPrefix("\(writer).") } == (0..<50).map { "\(writer).\($0)" })
        }
    }

    @Test func `a change that fails does not spoil its group`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try Self.open(directory)
        let answers = Mutex<[String]>([])
        // The first holds the writer until all others wait, so that they share a transaction.
        let gate = Mutex(false)
        database.enqueue { (_) throws(StoreFailure) -> Void in
            while !gate.withLock({ $0 }) { Clock.pauseBlocking(milliseconds: 1) }
        } then: { _ in
        }
        for word in ["a", "b", "a", "c"] {
            database.enqueue { store throws(StoreFailure) -> Void in
                try store.execute("INSERT INTO words (word) VALUES (?1)", [.text("before " + word)])
                try store.execute("INSERT INTO words (word) VALUES (?1)", [.text(word)])
            } then: { result in
                answers.withLock { $0.append((try? result.get()) == nil ? "no" : "yes") }
            }
        }
        gate.withLock { $0 = true }
        await database.close()
        #expect(answers.withLock { $0 } == ["yes", "yes", "no", "yes"])
        #expect(try await Self.words(database) == ["before a", "a", "before b", "b", "before c", "c"])
    }

    @Test func `a failure names statement, file and reason`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try Self.open(directory)
        let failure = await #expect(throws: StoreFailure.self) {
            try await database.write { store throws(StoreFailure) in try store.execute("INSERT INTO nowhere VALUES (1)") }
        }
        #expect(failure?.kind == .other)
        let sentence = failure?.sentence ?? ""
        for part in ["INSERT INTO nowhere", directory.path("node.db"), "no such table"] { #expect(sentence.contains(part)) }
    }

    @Test func `a reader cannot write`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try Self.open(directory)
        await #expect(throws: StoreFailure.self) {
            try await database.read { reader throws(StoreFailure) in
                try reader.execute("INSERT INTO words (word) VALUES ('a')")
            }
        }
        let only = try StateDatabase(reading: directory.path("node.db"))
        await #expect(throws: StoreFailure.self) {
            try await only.write { store throws(StoreFailure) in try store.execute("DELETE FROM words") }
        }
        #expect(try await Self.words(only) == [])
    }

    @Test func `more changes than may wait are refused`() async throws {
        let directory = try TemporaryDirectory("store")
        let path = directory.path("node.db")
        let database = try StateDatabase(path: path, migrations: Self.migrations, waitingLimit: 3)
        let gate = Mutex(false)
        let isHeld = Mutex(false)
        database.enqueue { (_) throws(StoreFailure) -> Void in
            isHeld.withLock { $0 = true }
            while !gate.withLock({ $0 }) { Clock.pauseBlocking(milliseconds: 1) }
        } then: { _ in
        }
        try await eventually { isHeld.withLock { $0 } }
        let answers = Mutex<[StoreFailure.Kind?]>([])
        for number in 0..<5 {
            database.enqueue { store throws(StoreFailure) -> Void in
                try store.execute("INSERT INTO words (word) VALUES (?1)", [.text("\(number)")])
            } then: { result in
                let kind: StoreFailure.Kind? = if case .failure(let failure) = result { failure.kind } else { nil }
                answers.withLock { $0.append(kind) }
            }
        }
        #expect(answers.withLock { $0 } == [.refused, .refused])
        gate.withLock { $0 = true }
        await database.close()
        #expect(answers.withLock { $0 } == [.refused, .refused, nil, nil, nil])
        #expect(try await Self.words(database) == ["0", "1", "2"])
    }

    @Test func `a database that is closed refuses changes and says so`() async throws {
        let directory = try TemporaryDirectory("store")
        let database = try Self.open(directory)
        await database.close()
        let failure = await #expect(throws: StoreFailure.self) {
            try await database.write { store throws(StoreFailure) in try store.execute("DELETE FROM words") }
        }
        #expect(failure?.kind == .refused)
    }
}
