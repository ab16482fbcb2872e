import Dashboard
import Linux
import Metering
import Store
import TestKit
import Testing

@testable import Daemon

@Suite(.leavesNothing) struct LedgerViewTests {
    @Test func `the ledger is verified from the page, and a damaged one shows`() async throws {
        let directory = try TemporaryDirectory("ledger-view")
        let database = try StateDatabase(path: directory.path("node.db"), migrations: Metering.migrations)
        let ledger = try await Ledger(database, headFile: directory.path("functions/ledger.head"))
        let view = LedgerView(ledger, headFile: directory.path("functions/ledger.head"))
        for number in 0..<3 {
            ledger.append(
                MeteredCall(
                    requestID: "r\(number)", function: "pay", version: "1", invokedARN: "", source: "invoke", arrivedAt: Clock.now()))
        }

        async let first = view.verify()
        async let second = view.verify()
        let checks = try await [first, second]
        #expect(checks.allSatisfy { $0.good == 3 && $0.fault == nil && $0.head == checks[0].head })
        #expect(view.fault == nil)
        #expect(ledger.verified.last?.good == 3)
        let model = try await view.model(LedgerSearch())
        #expect(model.check.map(checks.contains) == true)
        #expect(model.records.map(\.requestID) == ["r2", "r1", "r0"])

        try await database.write { store throws(StoreFailure) in
            try store.execute("DROP TRIGGER ledgerIsNotChanged")
            try store.execute("UPDATE ledger SET record = CAST(replace(CAST(record AS TEXT), 'pay', 'nay') AS BLOB) WHERE sequence = 2")
        }
        #expect(try await view.verify().fault != nil)
        #expect(view.fault?.hasPrefix("The ledger is damaged: ") == true)
        #expect(ledger.verified.last?.isFaulty == true)
        try await ledger.close()
    }
}
