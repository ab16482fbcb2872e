package import History
package import Metrics
import Synchronization

/// What all sources of a node measure, asked for by scrapes, by the history and by the dashboard.
///
/// Invariants
/// 1. However many ask at once, each source is asked once at a time.
///    (test: `those who ask while sources are being asked share the answer`)
package final class Measurements: Sendable {
    private struct State {
        var sources: [any MetricSource] = []
        var gathering: Task<[MetricFamily], Never>?
        var history: (any MeasurementHistory)?
    }

    private let state = Mutex(State())

    package init() {}

    /// From now on these are asked.
    package func open(_ sources: [any MetricSource]) { state.withLock { $0.sources = sources } }

    /// What was measured over time; nil on a node that keeps no history.
    package var history: (any MeasurementHistory)? { state.withLock { $0.history } }

    func keep(_ history: any MeasurementHistory) { state.withLock { $0.history = history } }

    /// What is measured now: one family for each name, sorted, bounded.
    package func families() async -> [MetricFamily] {
        let task = state.withLock { state in
            if let gathering = state.gathering { return gathering }
            let sources = state.sources
            let task = Task {
                var families: [MetricFamily] = []
                for source in sources { families += await source.metrics() }
                // Who asks from here on gets newer values.
                self.state.withLock { $0.gathering = nil }
                return MetricGathering.gathered(families)
            }
            state.gathering = task
            return task
        }
        return await task.value
    }
}
