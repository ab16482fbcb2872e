package import Functions
package import Lambda
package import Store
internal import Synchronization

/// Keeps a runner for each enabled mapping, as the catalogue says.
package final class EventSourceMappings: Sendable {
    private struct State {
        var runners: [String: (mapping: EventSourceMapping, runner: any MappingRunner)] = [:]
        var results: [String: String] = [:]
        var isStopped = false
    }

    private let ground: MappingGround
    private let rule: RetryRule
    private let results: Results

    /// `LastProcessingResult` of each mapping.
    private final class Results: Sendable {
        let texts = Mutex<[String: String]>([:])
    }

    /// How many there are.
    package var count: Int { state.withLock { $0.runners.count } }

    private let state = Mutex(State())

    package init(
        store: StateDatabase, events: AsyncEvents, queues: DurableQueues, invoker: any Invoker,
        functions: any FunctionLookup, account: LambdaAccount, clock: any EventClock = DayClock(),
        rule: RetryRule = RetryRule(),
        onResult: @escaping @Sendable (_ mappingID: String, _ result: String) -> Void = { _, _ in }
    ) {
        let results = Results()
        self.results = results
        self.rule = rule
        ground = MappingGround(
            store: store, events: events, queues: queues, invoker: invoker, functions: functions, clock: clock,
            account: account
        ) { mapping, text in
            let isNew = results.texts.withLock { texts in
                defer { texts[mapping.id] = text }
                return texts[mapping.id] != text
            }
            if isNew { onResult(mapping.id, text) }
        }
    }

    /// `LastProcessingResult` of a mapping; nil before it has done anything.
    package func lastResult(of id: String) -> String? { results.texts.withLock { $0[id] } }

    /// Why a mapping cannot work: asked before it is made or changed.
    package func check(_ mapping: EventSourceMapping) throws(LambdaFailure) {
        do {
            switch mapping.source {
            case .queue(let name):
                for filter in mapping.filters { _ = try FilterPattern(filter) }
                try checkQueue(name, mapping)
            case .schedule(let expression, _, _):
                let now = ground.clock.now
                guard try Schedule(expression).next(after: now, origin: now) != nil else {
                    throw ScheduleError("\(expression) names no time that is still to come")
                }
            case .directory:
                _ = try DirectoryRunner(mapping, ground)
                guard mapping.batchSize == 1, mapping.windowSeconds == 0, !mapping.reportsItemFailures else {
                    throw LambdaFailure.invalidParameter(
                        "The files of a directory come one by one: leave out BatchSize, MaximumBatchingWindowInSeconds and "
                            + "FunctionResponseTypes.")
                }
            }
        } catch let failure as LambdaFailure {
            throw failure
        } catch {
            throw .invalidParameter("The event source mapping \(mapping.sourceARN) cannot be made: \(error)")
        }
    }

    private func checkQueue(_ name: String, _ mapping: EventSourceMapping) throws(LambdaFailure) {
        guard let queue = ground.queues.known(name) else {
            throw .invalidParameter(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue: there is no queue \(name)."
            )
        }
        let timeout = try ground.functions.function(at: mapping.functionARN).timeoutSeconds
        guard queue.visibilitySeconds >= timeout else {
            throw .invalidParameter(
                "Queue visibility timeout: \(queue.visibilitySeconds) seconds is less than Function timeout: \(timeout) seconds"
            )
        }
    }

    /// A mapping is new or has changed, or the node starts.
    package func put(_ mapping: EventSourceMapping) {
        let before = state.withLock { $0.runners[mapping.id] }
        if let before, before.mapping == mapping { return }
        before?.runner.stop()
        guard mapping.isEnabled else {
            state.withLock { $0.runners[mapping.id] = nil }
            // What falls into the time in which it was switched off is not missed.
            if case .schedule = mapping.source { forget(mapping.id, withFiles: false) }
            return
        }
        do {
            let runner: any MappingRunner =
                switch mapping.source {
                case .queue: try QueuePoller(mapping, ground, rule: rule)
                case .schedule: try ScheduleRunner(mapping, ground)
                case .directory: try DirectoryRunner(mapping, ground)
                }
            let isStopped = state.withLock { state in
                if !state.isStopped { state.runners[mapping.id] = (mapping, runner) }
                return state.isStopped
            }
            if !isStopped { runner.start() }
        } catch {
            ground.report(mapping, "PROBLEM: \(error)")
        }
    }

    /// A mapping is gone.
    package func remove(_ id: String) {
        let runner = state.withLock { $0.runners.removeValue(forKey: id) }
        runner?.runner.stop()
        _ = results.texts.withLock { $0.removeValue(forKey: id) }
        forget(id, withFiles: true)
    }

    /// Takes nothing more from any source.
    package func stop() {
        let runners = state.withLock { state in
            state.isStopped = true
            defer { state.runners = [:] }
            return state.runners.values.map(\.runner)
        }
        for runner in runners { runner.stop() }
    }

    private func forget(_ id: String, withFiles: Bool) {
        ground.store.enqueue { transaction throws(StoreFailure) in
            try ScheduleRunner.forget(id, transaction)
            if withFiles { try DirectoryTable.forget(id, transaction) }
        } then: { _ in
            // A row that stays costs a few bytes: ids are never used again.
        }
    }
}

/// The tables of all event sources.
package enum EventSourceTables {
    package static let migrations = [
        AsyncEventTable.migration, Outbox.migration, QueueTable.migration, ScheduleRunner.migration,
        DirectoryTable.migration,
    ]
}
