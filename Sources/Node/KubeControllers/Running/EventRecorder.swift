package import KubeObjects
internal import Linux

/// Stores events about objects, one after the other and apart from what they tell of: work never waits for them.
///
/// Invariant: at most `limit` events wait; more are dropped, the oldest first, which is what events are for.
package final class EventRecorder: Sendable {
    static let limit = 1000

    private let client: any ObjectClient
    private let clock: any WallClock
    private let notes: AsyncStream<EventNote>
    private let input: AsyncStream<EventNote>.Continuation

    package init(_ client: any ObjectClient, clock: any WallClock = SystemWallClock()) {
        self.client = client
        self.clock = clock
        (notes, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.limit))
    }

    /// - Parameter component: who says it: "deployment-controller".
    package func record(
        _ object: KubeObject, _ resource: Resource, component: String, type: String, reason: String, message: String
    ) {
        input.yield(
            EventNote(object, resource, component: component, type: type, reason: reason, message: message))
    }

    /// Stores what is recorded, until the task is cancelled.
    package func run() async {
        var correlator = EventCorrelator()
        for await note in notes {
            guard let (write, key) = correlator.correlate(note, clock.now) else { continue }
            do throws(APIFailure) {
                switch write {
                case .create(let event): correlator.stored(try await client.create(.events, event), key)
                case .update(let event):
                    correlator.stored(try await client.update(.events, event, subresource: nil), key)
                }
            } catch {
                // Events are told once: of a namespace that goes away, say, nobody would read them.
                correlator.lost(key)
                if case .update = write, error.code == 404 { input.yield(note) }
            }
        }
    }
}
