extension ObjectStoring {
    /// Sends bookmarks and gives up old history, once in each interval, until the task is cancelled.
    ///
    /// - Parameters:
    ///   - interval: between two rounds. Kubernetes sends a bookmark each minute.
    ///   - report: hears why a compaction has failed; the next round tries again.
    package func maintain<Time: Clock>(
        _ limits: HistoryPlan.Limits = HistoryPlan.Limits(), every interval: Duration, on clock: Time,
        report: (ObjectStoreFailure) -> Void
    ) async where Time.Duration == Duration {
        var plan = HistoryPlan(limits)
        let start = clock.now
        while !Task.isCancelled {
            do { try await clock.sleep(until: clock.now.advanced(by: interval), tolerance: nil) } catch { return }
            sendBookmarks()
            do throws(ObjectStoreFailure) {
                let target = plan.decide(try await history(), at: start.duration(to: clock.now))
                if let target { try await compact(to: target) }
            } catch { report(error) }
        }
    }
}
