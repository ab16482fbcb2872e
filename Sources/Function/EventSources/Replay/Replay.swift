package import Functions
package import Lambda
internal import Linux
package import Metering

/// Runs recorded calls again against another version or alias, in order, and compares the answers.
///
/// The calls carry the source "replay", which the ledger keeps and the function sees in its client context
/// (`{"custom":{"forkless:replay":"REQUEST-ID"}}`), so that it can leave out its effects. They have no key: with one they would
/// be answered with the first answer, and nothing would be compared.
///
/// Invariants
/// 1. Calls of one order key run one after the other in the order of the record; others run beside each other, `concurrency` at
///    most. (test: `recorded calls run again in the order of each key`)
/// 2. A replay leaves no key behind. (test: `a replayed call has no key`)
package struct Replay: Sendable {
    /// Calls of one page.
    package static let pageLimit = 200

    private let invoker: any Invoker
    private let functions: any FunctionLookup

    package init(invoker: any Invoker, functions: any FunctionLookup) {
        self.invoker = invoker
        self.functions = functions
    }

    /// - Parameters:
    ///   - target: ARN of the function with the version or alias to run.
    ///   - next: a page of recorded calls in the order of the ledger; empty at the end.
    /// - Throws: ResourceNotFoundException when the target is not there; what `next` throws.
    package func run(
        against target: String, concurrency: Int = 8, next: () async throws(LambdaFailure) -> [MeteredCall]
    ) async throws(LambdaFailure) -> ReplayReport {
        _ = try functions.function(at: target)
        var report = ReplayReport(target: target)
        while true {
            let found = try await next()
            if found.isEmpty { return report }
            // What this and earlier replays have recorded is no input, or a replay would never end.
            let page = found.filter { $0.source != "replay" }
            // Pages run one after the other, so that a key's calls keep their order across them.
            for result in await run(page, against: target, concurrency) {
                switch result {
                case .withoutRecord: report.withoutRecord += 1
                case .compared(let id, let recorded, let answered):
                    report.add(id, recorded: recorded, answered: answered)
                }
            }
        }
    }

    private enum Comparable: Sendable {
        case withoutRecord
        case compared(String, RecordedAnswer, RecordedAnswer?)
    }

    /// The indices of a page's calls by order key; a call without one is a lane of its own.
    static func lanes(_ page: [MeteredCall]) -> [[Int]] {
        var lanes: [[Int]] = []
        var laneOfKey: [String: Int] = [:]
        for (index, call) in page.enumerated() {
            if let key = call.orderKey, let lane = laneOfKey[key] {
                lanes[lane].append(index)
            } else {
                if let key = call.orderKey { laneOfKey[key] = lanes.count }
                lanes.append([index])
            }
        }
        return lanes
    }

    /// Runs a page. The results come in its order.
    private func run(_ page: [MeteredCall], against target: String, _ concurrency: Int) async -> [Comparable] {
        await withTaskGroup(of: [(Int, Comparable)].self) { group in
            var results = [Comparable](repeating: .withoutRecord, count: page.count)
            var running = 0
            for lane in Self.lanes(page) {
                if running >= max(concurrency, 1), let done = await group.next() {
                    for (index, result) in done { results[index] = result }
                    running -= 1
                }
                group.addTask {
                    var done: [(Int, Comparable)] = []
                    for index in lane { done.append((index, await run(page[index], against: target))) }
                    return done
                }
                running += 1
            }
            for await done in group {
                for (index, result) in done { results[index] = result }
            }
            return results
        }
    }

    private func run(_ recorded: MeteredCall, against target: String) async -> Comparable {
        let isError: Bool
        switch recorded.outcome {
        case .success: isError = false
        case .functionError, .timedOut, .outOfMemory: isError = true
        // Not run at all, or answered from a key: there is nothing to compare with.
        case .refused, .replayed: return .withoutRecord
        }
        guard let payload = recorded.recordedPayload, let answer = recorded.recordedAnswer else {
            return .withoutRecord
        }
        let before = RecordedAnswer(payload: answer, isError: isError)
        guard var function = try? functions.function(at: target) else {
            return .compared(recorded.requestID, before, nil)
        }
        function.settings.key = nil
        function.settings.order = nil
        function.settings.deadlineHeader = nil
        let now = Clock.now()
        var call = FunctionCall(
            requestID: Identifiers.random(), function: function, invokedARN: target, payload: payload, source: "replay",
            trace: EventTrace.hop(after: nil, at: now), arrivedAt: now)
        // Not in the lane of the live calls: a replay must not make them wait.
        call.orderKey = recorded.orderKey.map { "replay/" + $0 }
        call.clientContext = #"{"custom":{"forkless:replay":""# + recorded.requestID + #""}}"#
        switch await invoker.invoke(call) {
        case .answered(let answer):
            let isError = answer.functionError != nil
            return .compared(recorded.requestID, before, RecordedAnswer(payload: answer.payload, isError: isError))
        case .failed: return .compared(recorded.requestID, before, nil)
        }
    }
}
