import Linux
import Metrics
import Testing

@testable import EventSources

@Suite struct EventMetricsTests {
    @Test func `queues tell how much waits, since when, and what could not be delivered`() {
        let now = Timestamp(nanoseconds: 100_000_000_000)
        var totals = EventTotals()
        totals.queues = [
            .init(name: "orders", visible: 3, inFlight: 2, delayed: 1, oldestSentAt: Timestamp(nanoseconds: 70_000_000_000)),
            .init(name: "orders-dead", visible: 4, inFlight: 0, delayed: 0, oldestSentAt: nil),
        ]
        // A clock that was set back makes nothing younger than nothing.
        totals.oldestEventAt = Timestamp(nanoseconds: 200_000_000_000)
        totals.letters = 5
        let families = totals.families(deadLetterQueues: ["orders-dead"], now: now)
        func samples(_ name: String) -> [MetricSample] { families.first { $0.name == name }?.samples ?? [] }
        #expect(samples("forkless_queue_messages").count == 6)
        #expect(samples("forkless_queue_messages").contains(MetricSample(["queue": "orders", "state": "in_flight"], 2)))
        #expect(samples("forkless_queue_oldest_message_age_seconds").first == MetricSample(["queue": "orders"], 30))
        #expect(samples("forkless_queue_dead_letters") == [MetricSample(["queue": "orders-dead"], 4)])
        #expect(samples("forkless_async_oldest_event_age_seconds") == [MetricSample([:], 0)])
        #expect(samples("forkless_undelivered_letters") == [MetricSample([:], 5)])
    }
}
