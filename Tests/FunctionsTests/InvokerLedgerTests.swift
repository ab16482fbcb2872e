import HTTPServing
import Lambda
import Linux
import Metering
import Store
import TestKit
import Testing

@testable import Functions

/// The invoker on the real ledger and the real book of keys.
@Suite struct InvokerLedgerTests {
    /// A node's life: its invoker, its ledger, its book.
    struct Life {
        let loops = ServingLoops(count: 1)
        let ledger: Ledger
        let launcher: LoopBound<FakeLauncher>
        let invoker: FunctionInvoker

        init(_ directory: TemporaryDirectory, run: String) async throws {
            let database = try StateDatabase(path: directory.path("node.db"), migrations: Metering.migrations)
            ledger = try await Ledger(database, headFile: directory.path("head"))
            let launcher = FakeLauncher()
            self.launcher = LoopBound(launcher, on: loops.loops[0])
            invoker = FunctionInvoker(
                on: loops.loops[0], launcher: launcher, PlaneSettings(memoryMB: 1024, processors: 2), ledger: ledger,
                keys: KeyBook(ledger, run: run), capacity: ledger)
        }

        func end() async throws {
            await invoker.close()
            try await ledger.close()
            await ledger.database.close()
            await loops.shutDown()
        }
    }

    static let function = PlaneBench.function {
        $0.key = .header("Key")
        $0.order = .header("Account")
    }

    static func call(_ number: Int) -> FunctionCall {
        PlaneBench.call(function, "pay \(number)", id: "\(number)") {
            $0.headers = ["key": "\(number)", "account": "\(number % 3)"]
        }
    }

    @Test func `what was answered under a key is replayed by the next run of the node, and the ledger holds together`()
        async throws
    {
        let directory = try TemporaryDirectory("invoker")
        let first = try await Life(directory, run: "1")
        for number in 0..<20 { #expect(await first.invoker.invoke(Self.call(number)).text == "pay \(number)") }
        try await first.end()

        let second = try await Life(directory, run: "2")
        for number in 0..<25 {
            let outcome = await second.invoker.invoke(Self.call(number))
            #expect(outcome.text == "pay \(number)")
            #expect(outcome.answer?.isReplayed == (number < 20))
        }
        let launcher = second.launcher
        #expect(await second.loops.loops[0].run { launcher.value.served.count } == 5)
        try await second.ledger.flush()
        let records = try await second.ledger.database.read { reader throws(StoreFailure) in
            try reader.query("SELECT count(*) FROM ledger", []).first?.integer(0)
        }
        #expect(records == 45)
        try await second.end()
    }
}
