import Glibc
import Linux
import Metering
import Store
import Synchronization
import TestKit
import Testing

/// A node that is killed, and a disk that is full.
@Suite(.serialized) struct LedgerFaultTests {
    /// Kills a writer several times over and looks at what it leaves.
    @Test func `what was committed is there after kill -9`() async throws {
        let directory = try TemporaryDirectory("crash")
        var acknowledged: Set<String> = []
        for _ in 0..<3 {
            let program = try Files.link("/proc/self/exe")
            let outcome = try await CommandRunner.run(
                [program, "--testing-library", "swift-testing", "--filter", "CrashingWriter"],
                environment: ["FORKLESS_CRASHING_WRITER=\(directory.path)", "PATH=/usr/bin:/bin"])
            #expect(outcome.status == .signaled(SIGKILL, coreDumped: false), "\(outcome.text)\(outcome.errorText)")
            let acks = outcome.text.split(separator: "\n").filter { $0.hasPrefix("ack ") }.map { String($0.dropFirst(4)) }
            #expect(!acks.isEmpty)
            acknowledged.formUnion(acks)
            let fixture = try await LedgerFixture(directory)
            #expect(fixture.remarks.all == [])
            let verification = try await fixture.verify()
            #expect(verification.fault == nil)
            let keys = try await fixture.texts().compactMap { try LedgerRecord(canonicalBytes: Array($0.utf8)).entry.call?.key }
            #expect(acknowledged.subtracting(keys) == [])
            #expect(Set(keys).count == keys.count)
            // What the keys' book has answered for is in the ledger, and the other way round.
            let answers = try await fixture.database.read { store throws(StoreFailure) in
                try store.query("SELECT key FROM keyAnswers WHERE answer IS NOT NULL").map { $0.text(0)! }
            }
            #expect(Set(answers) == Set(keys))
            #expect(try await LedgerVerification.verify(state: directory.path).good == verification.good)
        }
    }

    @Test(.enabled(if: isRoot)) func `a full disk holds the records back, and they are written when there is room`() async throws {
        try await SmallDisk.with("2m") { try await Self.fillDisk($0) }
    }

    private static func fillDisk(_ place: String) async throws {
        let database = try StateDatabase(path: place + "/node.db", migrations: Metering.migrations)
        let remarks = LedgerFixture.Remarks()
        let head = place + "/functions/ledger.head"
        let ledger = try await Ledger(database, headFile: head, remark: { remarks.add($0) })
        for number in 0..<3 { ledger.append(SampleCalls.plain(number)) }
        try await ledger.flush()
        do {
            let filler = try Files.open(place + "/filler", O_WRONLY | O_CREAT)
            let bytes = [UInt8](repeating: 1, count: 4096)
            while (try? Files.writeAll(bytes, to: filler.raw)) != nil {}
        }
        for number in 3..<200 { ledger.append(SampleCalls.plain(number)) }
        let failure = await #expect(throws: StoreFailure.self) { try await ledger.flush() }
        #expect(failure?.kind == .full)
        #expect(remarks.all.contains { $0.contains("cannot be written and waits") })
        for number in 200..<1200 { ledger.append(SampleCalls.plain(number)) }
        try await eventually { ledger.refusal?.kind == .full }
        try Files.remove(place + "/filler")
        try await eventually { ledger.refusal == nil }
        try await eventually { try await LedgerQuery(database).newest(2000, LedgerFilter()).count == 1200 }
        let verification = try await LedgerVerification.verify(database, headFile: head)
        #expect(verification.fault == nil)
        #expect(verification.good == 1200)
        try await ledger.close()
        await database.close()
    }
}

/// Runs in a process of its own, which it kills: see `what was committed is there after kill -9`.
struct CrashingWriter {
    private static let directory = getenv("FORKLESS_CRASHING_WRITER").map { String(cString: $0) }

    @Test(.enabled(if: directory != nil)) func `writes until it is killed`() async throws {
        let path = Self.directory!
        let database = try StateDatabase(path: path + "/node.db", migrations: Metering.migrations)
        let ledger = try await Ledger(database, headFile: path + "/functions/ledger.head")
        let run = "\(getpid())"
        let book = KeyBook(ledger, run: run)
        // One is acknowledged before the end is planned, however slow the disk is.
        await Self.write("\(run).first", 0, book, ledger)
        Task.detached {
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
            kill(getpid(), SIGKILL)
        }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0... {
                        await Self.write("\(run).\(writer).\(number)", number, book, ledger)
                    }
                }
            }
        }
    }

    private static func write(_ key: String, _ number: Int, _ book: KeyBook, _ ledger: Ledger) async {
        var call = SampleCalls.plain(number)
        let claim = KeyClaim(
            function: "pay", key: key, payloadDigest: "p", requestID: key, now: Clock.now(), expirySeconds: 3600)
        ledger.append(call)
        call.key = key
        let keyed = call
        let done = await withCheckedContinuation { continuation in
            book.begin(claim) { _ in
                let answer = KeyedAnswer(payload: [1], version: "1", requestID: key)
                book.complete(claim, answer: answer, call: keyed) { continuation.resume(returning: (try? $0.get()) != nil) }
            }
        }
        guard done else { return }
        try? Files.writeAll(Array("ack \(key)\n".utf8), to: 1)
    }
}
