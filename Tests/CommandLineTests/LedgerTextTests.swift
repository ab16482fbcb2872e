import JSON
import Linux
import Metering
import Store
import TestKit
import Testing

@testable import CommandLine

/// The ledger and reports for people.
struct LedgerTextTests {
    private static func database(_ directory: TemporaryDirectory) async throws -> StateDatabase {
        try Files.makeDirectories(directory.path("state"))
        let database = try StateDatabase(path: directory.path("state/node.db"), migrations: Metering.migrations)
        let now = try #require(Timestamp("2026-11-23T06:47:29.123456789Z"))
        let ledger = try await Ledger(
            database, headFile: Metering.headFile(state: directory.path("state")), now: { now })
        for (number, function) in ["pay", "pay", "score"].enumerated() {
            var call = MeteredCall(
                requestID: "00000000-0000-4000-8000-00000000000\(number)", function: function, version: "$LATEST",
                invokedARN: "arn:aws:lambda:us-east-1:000000000000:function:\(function)", source: "invoke", arrivedAt: now)
            call.start = number == 0 ? .cold : .warm
            call.durationMicroseconds = 1234 * (number + 1)
            call.billedMilliseconds = 2
            call.memoryMB = 512
            call.cpuMicroseconds = 900
            call.peakMemoryBytes = 31 << 20
            if number == 1 {
                call.outcome = .functionError("ValueError")
                call.key = "account 7"
            }
            ledger.append(call)
        }
        ledger.append(
            ProvisionedCapacity(
                function: "pay", version: "3", memoryMB: 512, instances: 2, from: now,
                to: Timestamp(nanoseconds: now.nanoseconds + 300_000_000_000)))
        try await ledger.close()
        return database
    }

    @Test func `records and reports are tables`() async throws {
        let directory = try TemporaryDirectory("ledger-text")
        let database = try await Self.database(directory)
        let cells = try await LedgerQuery(database).newest(10, LedgerFilter()).map { try LedgerText.cells($0.jsonLine) }
        let report = try await Report.make(database, from: nil, to: nil, by: [.function, .version], prices: .aws)
        let text =
            Listing(columns: LedgerText.columns, rows: cells).text(width: 200) + cells.map(LedgerText.line).joined()
            + FunctionReport(report: report.json).text(width: 200)
        #expect(try Snapshot.difference(of: text, from: "ledger-tables.txt") == nil)
    }

    @Test func `a replay is a table of how answers compare, and fails unless all are the same`() throws {
        let same = ReplayText(report: ["target": "arn:aws:lambda:us-east-1:000000000000:function:f:2", "counts": ["identical": 1200, "equalJSON": 1, "withoutRecord": 2], "differences": []])
        #expect(same.failure(function: "f") == nil)
        let answer = String(repeating: "long ", count: 20)
        let other = ReplayText(report: [
            "target": "arn:aws:lambda:us-east-1:000000000000:function:f:2", "counts": ["identical": 1, "equalJSON": 0, "different": 2, "otherOutcome": 1, "notRun": 0, "withoutRecord": 0],
            "differences": [
                ["requestId": "r1", "comparison": "different", "path": "$.a[2]", "recorded": "[1]", "answered": .string(answer)],
                ["requestId": "r2", "comparison": "otherOutcome", "path": .null, "recorded": "1", "answered": ""],
            ],
        ])
        #expect(other.failure(function: "f") == "3 of 4 recorded calls of f were answered differently.")
        let none = ReplayText(report: ["target": "arn:aws:lambda:us-east-1:000000000000:function:f:2", "counts": ["withoutRecord": 7], "differences": []])
        #expect(none.failure(function: "f")?.hasPrefix("nothing was compared: ") == true)
        let text = [same, other, none].map { $0.text(width: 160) }.joined(separator: "\n")
        #expect(try Snapshot.difference(of: text, from: "replay-tables.txt") == nil)
    }

    @Test func `a state directory is verified without a node`() async throws {
        let directory = try TemporaryDirectory("ledger-text")
        let database = try await Self.database(directory)
        let forkless = try TestForkless()
        let good = try await forkless.call(["ledger", "verify", "--state", directory.path("state")])
        #expect(good.status.isSuccess, "\(good.errorText)")
        #expect(good.text.hasPrefix("4 records are good, and 1 noted head with them.\nHead: 4:"))
        try await database.write { store throws(StoreFailure) in
            try store.execute("DROP TRIGGER ledgerIsNotChanged")
            try store.execute("UPDATE ledger SET request = 'x' WHERE sequence = 3")
        }
        let bad = try await forkless.call(["ledger", "verify", "--state", directory.path("state"), "--output", "json"])
        #expect(bad.status == .exited(1))
        #expect(try JSONParser.parse(bad.output)["fault", "record"] == 3)
        #expect(bad.errorText.contains("record 3"))
        let missing = try await forkless.call(["ledger", "verify", "--state", directory.path("nowhere")])
        #expect(missing.status == .exited(1))
        #expect(missing.errorText.contains("there is no such file"))
    }

    @Test func `without a node the ledger verbs say so`() async throws {
        let directory = try TemporaryDirectory("ledger-text")
        let forkless = try TestForkless()
        let verbs = [
            ["ledger", "show"], ["ledger", "export"], ["ledger", "verify"], ["ledger", "replay", "f", "--against", "1"], ["fn", "report"],
        ]
        for words in verbs {
            let outcome = try await forkless.call(words + ["--run", directory.path])
            #expect(outcome.status == .exited(1), "\(words)")
            #expect(outcome.errorText.contains("no node serves functions at \(directory.path)/lambda.sock"), "\(outcome.errorText)")
        }
    }
}
