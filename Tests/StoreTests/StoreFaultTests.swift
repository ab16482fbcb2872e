import Glibc
import Linux
import Store
import TestKit
import Testing

/// A process that is killed while it writes, and a disk that is full.
@Suite(.serialized) struct StoreFaultTests {
    @Test func `what was acknowledged is there after kill -9`() async throws {
        let directory = try TemporaryDirectory("crash")
        let program = try Files.link("/proc/self/exe")
        for _ in 0..<3 {
            let outcome = try await CommandRunner.run(
                [program, "--testing-library", "swift-testing", "--filter", "CrashingStore"],
                environment: ["FORKLESS_CRASHING_STORE=\(directory.path)", "PATH=/usr/bin:/bin"])
            #expect(outcome.status == .signaled(SIGKILL, coreDumped: false), "\(outcome.text)\(outcome.errorText)")
            let acks = outcome.text.split(separator: "\n").filter { $0.hasPrefix("ack ") }.map { String($0.dropFirst(4)) }
            #expect(!acks.isEmpty)
            let words = try await StateDatabaseTests.words(try StateDatabaseTests.open(directory))
            #expect(Set(acks).subtracting(words) == [])
        }
    }

    @Test(.enabled(if: isRoot)) func `a full disk changes nothing and says so`() async throws {
        try await SmallDisk.with("1m") { try await Self.fillDisk($0) }
    }

    private static func fillDisk(_ place: String) async throws {
        let database = try StateDatabase(path: place + "/node.db", migrations: StateDatabaseTests.migrations)
        try await insert("before", database)
        let failure = await #expect(throws: StoreFailure.self) {
            try await insert(String(repeating: "x", count: 2 << 20), database)
        }
        #expect(failure?.kind == .full)
        #expect(failure?.sentence.contains("no room left on the disk") == true)
        #expect(try await StateDatabaseTests.words(database) == ["before"])
        try await insert("after", database)
        #expect(try await StateDatabaseTests.words(database) == ["before", "after"])
        await database.close()
    }

    private static func insert(_ word: String, _ database: StateDatabase) async throws(StoreFailure) {
        try await database.write { store throws(StoreFailure) in
            try store.execute("INSERT INTO words (word) VALUES (?1)", [.text(word)])
        }
    }
}

/// Runs in a process of its own, which it kills: see `what was acknowledged is there after kill -9`.
struct CrashingStore {
    private static let directory = getenv("FORKLESS_CRASHING_STORE").map { String(cString: $0) }

    @Test(.enabled(if: directory != nil)) func `writes until it is killed`() async throws {
        let database = try StateDatabase(path: Self.directory! + "/node.db", migrations: StateDatabaseTests.migrations)
        // A slow disk may take longer for the first change than for all the others, so time counts from there.
        let first = "\(getpid()).first"
        try await database.write { store throws(StoreFailure) in
            try store.execute("INSERT INTO words (word) VALUES (?1)", [.text(first)])
        }
        try Files.writeAll(Array("ack \(first)\n".utf8), to: 1)
        Task.detached {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...300)))
            kill(getpid(), SIGKILL)
        }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    for number in 0... {
                        let word = "\(getpid()).\(writer).\(number)"
                        let done: Void? = try? await database.write { store throws(StoreFailure) in
                            try store.execute("INSERT INTO words (word) VALUES (?1)", [.text(word)])
                        }
                        if done != nil { try? Files.writeAll(Array("ack \(word)\n".utf8), to: 1) }
                    }
                }
            }
        }
    }
}
