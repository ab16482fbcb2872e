package import Linux

/// Who tells events: core/v1.EventSource.
package struct EventReporter: Hashable, Sendable {
    /// "deployment-controller", "kubelet".
    package var component: String
    /// The node that it works on; empty for none.
    package var host: String

    package init(_ component: String, host: String = "") {
        self.component = component
        self.host = host
    }
}

/// Stores events about objects, one after the other and apart from what they tell of: work never waits for them.
///
/// Invariant: at most `limit` events wait; more are dropped, the oldest first, which is what events are for.
/// (test: `events that nobody takes are dropped and hold nobody up`)
package final class EventRecorder: Sendable {
    static let limit = 1000

    private let client: any ObjectClient
    private let now: @Sendable () -> Timestamp
    private let reports: AsyncStream<EventReport>
    private let input: AsyncStream<EventReport>.Continuation

    /// - Parameter now: the time of day.
    package init(_ client: any ObjectClient, now: @escaping @Sendable () -> Timestamp = { Clock.now() }) {
        self.client = client
        self.now = now
        (reports, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.limit))
    }

    /// - Parameters:
    ///   - type: "Normal" or "Warning".
    ///   - fieldPath: the part of the object that it is about: "spec.containers{web}".
    package func record(
        _ object: KubeObject, _ resource: Resource, by source: EventReporter, type: String, reason: String,
        message: String, fieldPath: String? = nil
    ) {
        input.yield(
            EventReport(
                object, resource, by: source, type: type, reason: reason, message: message, fieldPath: fieldPath))
    }

    /// Nothing is recorded any more: `run` returns when it has stored what waits.
    package func finish() { input.finish() }

    /// Stores what is recorded, until `finish` or until the task is cancelled.
    package func run() async {
        var correlator = EventCorrelator()
        for await report in reports {
            guard let (write, key) = correlator.correlate(report, now()) else { continue }
            do throws(APIFailure) {
                switch write {
                case .create(let event): correlator.stored(try await client.create(.events, event), key)
                case .update(let event):
                    correlator.stored(try await client.update(.events, event, subresource: nil), key)
                }
            } catch {
                // Events are told once: of a namespace that goes away, say, nobody would read them.
                correlator.lost(key)
                if case .update = write, error.code == 404 { input.yield(report) }
            }
        }
    }
}
