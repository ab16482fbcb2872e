import Linux
import Metering
import Store
import Synchronization
import TestKit
import Testing

/// Records are written once each, in a chain that goes on.
struct LedgerTests {
    @Test func `calls of many threads are recorded once each`() async throws {
        let fixture = try await LedgerFixture()
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<200 { fixture.ledger.append(SampleCalls.plain(writer * 1000 + number)) }
                }
            }
        }
        try await fixture.ledger.flush()
        let requests = try await fixture.texts().map { try LedgerRecord(canonicalBytes: Array($0.utf8)).entry.call!.requestID }
        #expect(requests.count == 1600)
        #expect(Set(requests).count == 1600)
        let verification = try await fixture.verify()
        #expect(verification.fault == nil)
        #expect(verification.good == 1600)
    }

    @Test func `calls that are written by many at once keep their order`() async throws {
        // Planned writings at once, and flushes beside them.
        let fixture = try await LedgerFixture(groupSpan: .zero)
        let flushing = (0..<4).map { _ in
            Task { while !Task.isCancelled { try await fixture.ledger.flush() } }
        }
        for number in 0..<3000 {
            fixture.ledger.append(SampleCalls.plain(number))
            if number % 10 == 0 { await Task.yield() }
        }
        for task in flushing { task.cancel() }
        for task in flushing { try await task.value }
        try await fixture.ledger.flush()
        let requests = try await fixture.texts().map { try LedgerRecord(canonicalBytes: Array($0.utf8)).entry.call!.requestID }
        #expect(requests == (0..<3000).map { SampleCalls.plain($0).requestID })
    }

    @Test func `an appended call is written without being asked for`() async throws {
        let fixture = try await LedgerFixture()
        fixture.ledger.append(SampleCalls.plain(1))
        try await eventually { try await fixture.texts().count == 1 }
    }

    @Test func `the chain goes on after a restart`() async throws {
        var fixture = try await LedgerFixture()
        try await fixture.fill(3)
        try await fixture.ledger.close()
        fixture = try await LedgerFixture(fixture.directory)
        try await fixture.fill(2)
        let verification = try await fixture.verify()
        #expect(verification.fault == nil)
        #expect(verification.good == 5)
        #expect(fixture.remarks.all == [])
    }

    @Test func `a call is committed together with a change, or neither is`() async throws {
        let fixture = try await LedgerFixture()
        let answers = Mutex<[Bool]>([])
        for table in ["ledgerContents", "nowhere"] {
            await withCheckedContinuation { continuation in
                fixture.ledger.commit(SampleCalls.plain(1)) { store throws(StoreFailure) in
                    try store.execute("INSERT INTO \(table) VALUES ('1', x'00')")
                } then: { result in
                    answers.withLock { $0.append((try? result.get()) != nil) }
                    continuation.resume()
                }
            }
        }
        #expect(answers.withLock { $0 } == [true, false])
        #expect(try await fixture.texts().count == 1)
        #expect(try await fixture.verify().fault == nil)
    }

    @Test func `the head is written after the records`() async throws {
        let fixture = try await LedgerFixture()
        let begin = ContinuousClock.now
        try await fixture.fill(3)
        let noted = try LedgerHeads.read(fixture.headFile)?.anchors.map(\.sequence)
        // It follows a second after the records: where writing them has taken as long, it may be there.
        if ContinuousClock.now - begin < .seconds(1) { #expect(noted == [0]) }
        try await eventually { try LedgerHeads.read(fixture.headFile)?.anchors.map(\.sequence) == [3] }
        try await fixture.fill(2)
        try await fixture.ledger.close()
        let heads = try #require(try LedgerHeads.read(fixture.headFile))
        #expect(heads.anchors == [try await fixture.verify().head])
    }

    @Test func `a clock that is set back does not reorder the ledger`() async throws {
        let clock = Backwards()
        // Nothing is written but by flushing: each writing asks for the time, one of nothing, too.
        let fixture = try await LedgerFixture(groupSpan: .seconds(60), now: { clock.now })
        for number in 0..<4 {
            fixture.ledger.append(SampleCalls.plain(number))
            try await fixture.ledger.flush()
        }
        let recorded = try await fixture.texts().map {
            try LedgerRecord(canonicalBytes: Array($0.utf8)).recordedAt.nanoseconds
        }
        #expect(recorded == recorded.sorted())
        #expect(recorded.last == 9)
    }

    private final class Backwards: Sendable {
        private let times = Mutex([5, 9, 3, 4])
        var now: Timestamp { Timestamp(nanoseconds: times.withLock { $0.isEmpty ? 4 : $0.removeFirst() }) }
    }

    @Test func `calls beyond what may wait are counted, not forgotten`() async throws {
        // All five wait, however long it takes to append them.
        let fixture = try await LedgerFixture(groupSpan: .seconds(60), waitingLimit: 3 * 1024)
        for number in 0..<5 { fixture.ledger.append(SampleCalls.plain(number)) }
        #expect(fixture.ledger.refusal?.kind == .refused)
        try await fixture.ledger.flush()
        #expect(fixture.ledger.refusal == nil)
        let last = try LedgerRecord(canonicalBytes: Array(try await fixture.texts().last!.utf8))
        #expect(last.entry == .lost(calls: 2))
        #expect(last.sequence == 4)
    }

    @Test func `contents that are kept are kept once for equal bytes`() async throws {
        let fixture = try await LedgerFixture()
        for _ in 0..<3 { fixture.ledger.append(SampleCalls.full()) }
        try await fixture.ledger.flush()
        let contents = try await fixture.database.read { store throws(StoreFailure) in
            try store.query("SELECT bytes FROM ledgerContents ORDER BY bytes").map { String(decoding: $0.blob(0)!, as: UTF8.self) }
        }
        #expect(contents == ["null", "{}"])
        #expect(try await fixture.verify().fault == nil)
    }

    @Test func `records can neither be changed nor removed by a statement`() async throws {
        let fixture = try await LedgerFixture()
        try await fixture.fill(1)
        for statement in ["UPDATE ledger SET function = 'x'", "DELETE FROM ledger"] {
            let failure = await #expect(throws: StoreFailure.self) {
                try await fixture.database.write { store throws(StoreFailure) in try store.execute(statement) }
            }
            #expect(failure?.sentence.contains("records of the ledger are not") == true)
        }
    }
}
