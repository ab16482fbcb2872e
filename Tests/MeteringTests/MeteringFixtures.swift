import Linux
import Metering
import Store
import Synchronization
import TestKit

/// A state directory with a database and a ledger in it.
struct LedgerFixture {
    let directory: TemporaryDirectory
    let database: StateDatabase
    let ledger: Ledger
    let remarks: Remarks

    final class Remarks: Sendable {
        private let list = Mutex<[String]>([])
        var all: [String] { list.withLock { $0 } }
        func add(_ text: String) { list.withLock { $0.append(text) } }
    }

    var headFile: String { directory.path("functions/ledger.head") }

    /// - Parameters:
    ///   - directory: of a fixture before, whose node has ended; nil for a new one.
    ///   - groupSpan: how long appended calls wait unless they are flushed.
    init(
        _ directory: TemporaryDirectory? = nil, groupSpan: Duration = .milliseconds(50), waitingLimit: Int = 128 << 20,
        now: @escaping @Sendable () -> Timestamp = { Clock.now() }
    ) async throws {
        self.directory = try directory ?? TemporaryDirectory("ledger")
        database = try StateDatabase(path: self.directory.path("node.db"), migrations: Metering.migrations)
        let remarks = Remarks()
        self.remarks = remarks
        ledger = try await Ledger(
            database, headFile: self.directory.path("functions/ledger.head"), groupSpan: groupSpan,
            waitingLimit: waitingLimit, now: now, remark: { remarks.add($0) })
    }

    func verify(noted: [LedgerHeads.Anchor] = []) async throws -> LedgerVerification {
        try await LedgerVerification.verify(database, headFile: headFile, noted: noted)
    }

    /// Writes so many plain calls.
    func fill(_ count: Int, function: String = "pay") async throws {
        for number in 0..<count { ledger.append(SampleCalls.plain(number, function: function)) }
        try await ledger.flush()
    }

    /// The canonical bytes of all records, as text.
    func texts() async throws -> [String] {
        try await database.read { store throws(StoreFailure) in
            try store.query("SELECT record FROM ledger ORDER BY sequence").map { String(decoding: $0.blob(0)!, as: UTF8.self) }
        }
    }
}

enum SampleCalls {
    static func plain(_ number: Int, function: String = "pay", version: String = "3") -> MeteredCall {
        var call = MeteredCall(
            requestID: "00000000-0000-4000-8000-\(String(1_000_000_000_000 + number).dropFirst())", function: function,
            version: version, invokedARN: "arn:aws:lambda:us-east-1:000000000000:function:\(function)", source: "invoke",
            arrivedAt: Timestamp(nanoseconds: 1_764_390_000_000_000_000 + number * 1_000_000))
        call.start = number == 0 ? .cold : .warm
        call.durationMicroseconds = 1000 + number
        call.billedMilliseconds = 2
        call.memoryMB = 128
        call.peakMemoryBytes = 30 << 20
        call.cpuMicroseconds = 700
        call.instance = "pay-1"
        call.codeDigest = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="
        call.revision = "r-\(version)"
        call.payloadBytes = 2
        call.payloadDigest = String(repeating: "ab", count: 32)
        call.answerBytes = 4
        call.answerDigest = String(repeating: "cd", count: 32)
        return call
    }

    /// Every member that may be missing is there, and every kind of character.
    static func full() -> MeteredCall {
        var call = plain(7)
        call.key = "key \"with\" \\ and \u{1}\u{1F}\n\t\r\u{8}\u{C} é🙂"
        call.orderKey = ""
        call.initMicroseconds = 43_000
        call.queueMicroseconds = .max
        call.attempt = 3
        call.outcome = .functionError("Runtime.ExitError")
        call.start = .zygote
        call.recordedPayload = Array("{}".utf8)
        call.recordedAnswer = Array("null".utf8)
        call.payloadDigest = ""
        call.answerDigest = ""
        return call
    }
}
