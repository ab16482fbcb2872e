import HTTPServing
import Lambda
import Metering
import Synchronization
import TestKit
import Testing

@testable import Functions

/// Lives of a whole plane: calls of several functions with keys and orders, starts that fail, instances that are killed,
/// revisions that are replaced, promises and reserves that change, all by a seed. What must hold holds in every one.
@Suite struct PlaneChaosTests {
    @Test(arguments: 1...12)
    func `whatever happens, every call is answered and recorded once, in order, and nothing is left`(
        seed: Int
    ) async throws {
        let chance = Mutex(SeededChance(seed: UInt64(seed)))
        func pick(_ range: ClosedRange<Int>) -> Int { chance.withLock { Int.random(in: range, using: &$0) } }
        let memoryMB = pick(500...3000)
        let startsAtOnce = pick(1...6)
        let bench = PlaneBench(memoryMB: memoryMB, startsAtOnce: startsAtOnce) {
            $0.patience = .milliseconds(pick(1...20))
            $0.pool.idleTimeout = .milliseconds(pick(5...50))
            $0.pool.fadeInterval = .milliseconds(pick(1...20))
            $0.pool.recycleAge = .milliseconds(pick(20...200))
            $0.pool.firstPause = .milliseconds(5)
            $0.pool.longestPause = .milliseconds(20)
            $0.pool.waitingTimeLimit = .seconds(20)
        }
        await bench.script { launcher in
            func pick(_ range: ClosedRange<Int>) -> Int { chance.withLock { Int.random(in: range, using: &$0) } }
            launcher.start = { _ in
                switch pick(0...20) {
                case 0: .fails(InstanceStartFailure(errorType: "E", errorMessage: "no luck"))
                case 1: .fails(InstanceStartFailure(errorType: "E", errorMessage: "never", isPermanent: true))
                case 2: .dies
                default: .ready(after: .microseconds(pick(0...2000)))
                }
            }
            launcher.callTime = { _ in .microseconds(pick(0...2000)) }
            launcher.answer = { pick(0...10) == 0 ? FakeLauncher.error($0) : FakeLauncher.echo($0) }
        }
        let functions = (0..<4).map { number in
            PlaneBench.function("f\(number)", memoryMB: pick(1...4) * 100) {
                if number % 2 == 0 { $0.key = .message }
                if number > 0 { $0.order = .header("account") }
                $0.freshness = [.reuse, .fresh, .concurrent(3), .reuse][number]
            }
        }
        let count = 400
        let box = OutcomeBox(count)
        for number in 0..<count {
            var function = functions[pick(0...3)]
            function.revision = "\(number / 150)"
            let (account, message) = (pick(0...5), pick(0...80))
            let call = PlaneBench.call(function, "\(function.name) \(account) \(message)", id: "\(number)") {
                $0.headers = ["account": "\(account)"]
                // The payload goes with the message, or else it would be a conflict.
                $0.messageID = "\(account) \(message)"
            }
            bench.invoker.invoke(call) { box.set(number, $0) }
            switch pick(0...40) {
            case 0: bench.invoker.setProvisioned(function, pick(0...2))
            case 1: try? await bench.invoker.setReserved(function.name, pick(0...1) == 0 ? nil : pick(0...20))
            case 2...6:
                let index = pick(0...100)
                await bench.script { $0.kill(index) }
            default: break
            }
            if pick(0...3) == 0 { try await Task.sleep(for: .microseconds(pick(0...2000))) }
            if number % 150 == 149 {
                for var old in functions {
                    old.revision = "\(number / 150)"
                    bench.invoker.retire(old)
                }
            }
        }
        let outcomes = await box.all()
        try await eventually { bench.ledger.all.count == count }
        let records = bench.ledger.all
        #expect(Set(records.map(\.requestID)).count == count, "seed \(seed)")
        #expect(bench.keys.marks == 0, "seed \(seed)")
        // One effect for each key: of the calls that were run, one at most has succeeded.
        let effects = records.filter { $0.outcome == .success && $0.key != nil }.map { "\($0.function) \($0.key!)" }
        #expect(Set(effects).count == effects.count, "seed \(seed)")
        #expect(outcomes.filter { $0.answer != nil }.count > count / 3, "seed \(seed)")
        // Calls of one account of a function with an order never overlap.
        let overlaps = await bench.look { $0.overlaps }
        func lane(_ text: String) -> String { text.split(separator: " ").prefix(2).joined(separator: " ") }
        #expect(overlaps.allSatisfy { lane($0.0) != lane($0.1) || lane($0.0).hasPrefix("f0") }, "seed \(seed)")
        let (peakMB, peakStarts) = await bench.look { ($0.peakMB, $0.peakStarts) }
        #expect(peakMB <= memoryMB && peakStarts <= startsAtOnce, "seed \(seed)")
        let isClean = await bench.close()
        #expect(isClean, "seed \(seed)")
    }
}
