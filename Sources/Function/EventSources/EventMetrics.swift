internal import Linux
package import Metrics
package import Store
internal import Synchronization

/// Asynchronous events, queues and letters in numbers.
///
/// What stands in memory is told at once; what the database has to be asked for is told as it was at most ten seconds ago.
package final class EventMetrics: MetricSource, Sendable {
    /// How old what is read from the database may be.
    private static let age = Duration.seconds(10)

    private let sources: NodeEvents
    private let store: StateDatabase
    private let clock: any EventClock
    private let remembered = Mutex<(at: ContinuousClock.Instant, stored: EventTotals)?>(nil)

    package init(_ sources: NodeEvents, _ store: StateDatabase, clock: any EventClock = DayClock()) {
        self.sources = sources
        self.store = store
        self.clock = clock
    }

    package func metrics() async -> [MetricFamily] {
        let counters = sources.events.counters
        let stored = await stored()
        return Self.families(counters, mappings: sources.mappings.count) + stored.families(
            deadLetterQueues: sources.queues.deadLetterQueues, now: clock.now)
    }

    private static func families(_ counters: AsyncEvents.Counters, mappings: Int) -> [MetricFamily] {
        [
            .counter("forkless_async_accepted_total", "Asynchronous events that were accepted.", counters.accepted),
            MetricFamily(
                "forkless_async_ended_total", .counter, help: "Asynchronous events that ended, by how.",
                [
                    MetricSample(["how": "succeeded"], counters.succeeded), MetricSample(["how": "failed"], counters.failed),
                    MetricSample(["how": "too_old"], counters.tooOld),
                ]),
            MetricFamily(
                "forkless_async_retries_total", .counter, help: "Attempts after which an event was tried again, by why.",
                [
                    MetricSample(["why": "function_error"], counters.retried), MetricSample(["why": "not_run"], counters.postponed),
                ]),
            .gauge("forkless_async_events", "Asynchronous events that have not ended, those that run included.", counters.waiting),
            .gauge("forkless_async_running", "Asynchronous events that run.", counters.running),
            .gauge("forkless_event_source_mappings", "Event sources that are connected to functions.", mappings),
        ]
    }

    private func stored() async -> EventTotals {
        let now = ContinuousClock.now
        if let kept = remembered.withLock({ $0 }), now - kept.at < Self.age { return kept.stored }
        // A database that cannot be read is told of by those who need it; here the numbers stay as they were.
        guard let stored = try? await store.read({ transaction throws(StoreFailure) in try EventTotals(transaction) }) else {
            return remembered.withLock { $0?.stored } ?? EventTotals()
        }
        remembered.withLock { $0 = (now, stored) }
        return stored
    }
}

/// What the database knows of events, queues and letters.
struct EventTotals: Hashable, Sendable {
    struct Queue: Hashable, Sendable {
        var name: String
        var visible: Int
        var inFlight: Int
        var delayed: Int
        var oldestSentAt: Timestamp?
    }

    var queues: [Queue] = []
    var oldestEventAt: Timestamp?
    var letters = 0
    var problems = 0

    init() {}

    init(_ transaction: any StoreTransaction) throws(StoreFailure) {
        queues = try transaction.query(
            """
            SELECT name, visible, in_flight, delayed, oldest FROM queue LEFT JOIN (
                SELECT queue, count(*) FILTER (WHERE visible_at <= ?1) AS visible,
                    count(*) FILTER (WHERE visible_at > ?1 AND receives > 0) AS in_flight,
                    count(*) FILTER (WHERE visible_at > ?1 AND receives = 0) AS delayed, min(sent_at) AS oldest
                FROM queue_message GROUP BY queue
            ) ON queue = name ORDER BY name LIMIT 2000
            """, [StoreValue(Clock.now().nanoseconds)]
        ).map {
            Queue(
                name: $0.text(0)!, visible: $0.integer(1) ?? 0, inFlight: $0.integer(2) ?? 0, delayed: $0.integer(3) ?? 0,
                oldestSentAt: $0.integer(4).map { Timestamp(nanoseconds: $0) })
        }
        oldestEventAt = try transaction.first("SELECT min(accepted_at) FROM async_event")?.integer(0).map {
            Timestamp(nanoseconds: $0)
        }
        if let row = try transaction.first("SELECT count(*), count(problem) FROM outbox") {
            (letters, problems) = (row.integer(0)!, row.integer(1)!)
        }
    }

    func families(deadLetterQueues: Set<String>, now: Timestamp) -> [MetricFamily] {
        func age(_ time: Timestamp?) -> Double { time.map { max(0, Double(now.nanoseconds - $0.nanoseconds) / 1e9) } ?? 0 }
        return [
            MetricFamily(
                "forkless_queue_messages", .gauge, help: "Messages in queues, by whether they can be received now.",
                queues.flatMap { queue in
                    [
                        MetricSample(["queue": queue.name, "state": "visible"], queue.visible),
                        MetricSample(["queue": queue.name, "state": "in_flight"], queue.inFlight),
                        MetricSample(["queue": queue.name, "state": "delayed"], queue.delayed),
                    ]
                }),
            MetricFamily(
                "forkless_queue_oldest_message_age_seconds", .gauge, help: "Since when the oldest message of a queue is there.",
                queues.map { MetricSample(["queue": $0.name], age($0.oldestSentAt)) }),
            MetricFamily(
                "forkless_queue_dead_letters", .gauge, help: "Messages in queues that take what could not be delivered.",
                queues.filter { deadLetterQueues.contains($0.name) }.map {
                    MetricSample(["queue": $0.name], $0.visible + $0.inFlight + $0.delayed)
                }),
            .gauge("forkless_async_oldest_event_age_seconds", "Since when the oldest event that has not ended is there.", age(oldestEventAt)),
            .gauge("forkless_undelivered_letters", "Answers and dead letters on their way to a destination.", letters),
            .gauge("forkless_undeliverable_letters", "Of those, the ones that could not be delivered so far.", problems),
        ]
    }
}

extension DurableQueues {
    /// Names of queues that take what others could not deliver.
    var deadLetterQueues: Set<String> {
        let place = place
        return attributes.withLock { all in Set(all.values.compactMap { $0.redrive.flatMap { place.queue(arn: $0.target) } }) }
    }
}
