internal import Linux
package import Metrics
internal import Store
internal import Synchronization

/// Measures once a second and hands over to the history: the one worker of it.
///
/// Invariants
/// 1. Whatever the database does, measuring goes on, and the trouble is told of once. (test: `a full disk is told of once`)
package final class HistorySampler: Sendable {
    private let history: StoredHistory
    private let sources: @Sendable () async -> [MetricFamily]
    private let note: @Sendable (String) -> Void

    private struct Numbers {
        var series = 0
        var leftOut = 0
        var isFailing = false
        var lostBlocks = 0
    }

    private let numbers = Mutex(Numbers())

    package init(
        _ history: StoredHistory, sources: @escaping @Sendable () async -> [MetricFamily],
        note: @escaping @Sendable (String) -> Void
    ) {
        self.history = history
        self.sources = sources
        self.note = note
    }

    /// Measures until the task is cancelled, then writes what it has.
    package func run() async {
        var work = Work()
        var next = ContinuousClock.now
        while !Task.isCancelled {
            await measure(&work, wall: Clock.now(), monotonic: Clock.monotonicNanoseconds())
            // A look that took longer than a second leaves out those that it missed.
            next = max(next + .seconds(1), ContinuousClock.now)
            try? await Task.sleep(until: next, tolerance: .milliseconds(50), clock: .continuous)
        }
        await finish(&work)
    }

    /// What goes from one look to the next.
    struct Work {
        var reader = SampleReader()
        var clock = ClockWatch()
        var block: SecondBlock?
    }

    /// One look. The times are parameters for tests.
    func measure(_ work: inout Work, wall: Timestamp, monotonic: Int) async {
        let families = await sources()
        let second = Tier.floor(wall.nanoseconds, to: 1_000_000_000) / 1_000_000_000
        work.clock.look(wall: second, monotonic: monotonic / 1_000_000_000)
        if let block = work.block, !block.covers(second) { await finish(&work) }
        var block = work.block ?? SecondBlock(of: second)
        for (key, point) in work.reader.take(families, at: monotonic) { block.add(point, of: key, at: second) }
        work.block = block
        history.show(block)
        numbers.withLock { ($0.series, $0.leftOut) = (work.reader.seriesCount, work.reader.leftOut) }
    }

    func finish(_ work: inout Work) async {
        guard let block = work.block, !block.isEmpty else { return }
        work.block = nil
        do throws(StoreFailure) {
            try await history.record(block, mayPrune: work.clock.isSteady)
            history.show(nil)
            if numbers.withLock({ $0.isFailing }) { note("The history of measurements is written again.") }
            numbers.withLock { $0.isFailing = false }
        } catch {
            history.show(nil)
            let wasFailing = numbers.withLock { numbers in
                defer { numbers.isFailing = true }
                numbers.lostBlocks += 1
                return numbers.isFailing
            }
            if !wasFailing { note("The history of measurements has a gap until it can be written again: \(error)") }
        }
    }
}

extension HistorySampler: MetricSource {
    package func metrics() async -> [MetricFamily] {
        let numbers = numbers.withLock { $0 }
        return [
            .gauge("forkless_history_series", "Series that the history keeps.", numbers.series),
            .gauge(
                "forkless_history_series_left_out",
                "Series that the history does not keep, since there are more than \(SampleReader.seriesLimit).", numbers.leftOut),
            .gauge("forkless_history_failing", "1 while the history cannot be written.", numbers.isFailing ? 1 : 0),
            .counter(
                "forkless_history_lost_blocks_total", "Times of ten seconds of which the history has nothing, since it could not be written.",
                numbers.lostBlocks),
        ]
    }
}
