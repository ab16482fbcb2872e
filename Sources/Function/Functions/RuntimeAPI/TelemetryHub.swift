internal import HTTPServing
internal import Linux
internal import JSON

/// The telemetry of one instance: what the service says and what programs print, buffered and sent to whoever subscribed.
/// Confined to the instance's loop; sending happens elsewhere.
final class TelemetryHub {
    private let loop: ServingLoop
    private let network: SharedFD
    private let note: @Sendable (String) -> Void
    private var subscribers: [TelemetrySubscriber] = []

    init(loop: ServingLoop, network: SharedFD, note: @escaping @Sendable (String) -> Void) {
        self.loop = loop
        self.network = network
        self.note = note
    }

    /// Adds a subscriber, or gives the one of this extension another subscription.
    ///
    /// - Parameter beginning: what was said before anybody could subscribe.
    func subscribe(_ subscription: TelemetrySubscription, id: String, after beginning: PlatformEvent) {
        subscribers.first { $0.id == id }?.close()
        subscribers.removeAll { $0.id == id }
        let subscriber = TelemetrySubscriber(subscription, id: id, loop: loop, network: network)
        subscribers.append(subscriber)
        if subscriber.wants(.platform) { subscriber.add(beginning) }
        add(.subscription(name: id, kinds: subscription.kinds.map(\.rawValue).sorted(), at: Clock.now()))
    }

    /// Something that the service says.
    func add(_ event: PlatformEvent) {
        for subscriber in subscribers where subscriber.wants(.platform) { subscriber.add(event) }
    }

    /// Hears of every line that is printed from now on.
    func take(_ function: InstanceOutput?, _ extensions: InstanceOutput?) {
        for (output, kind) in [(function, TelemetrySubscription.Kind.function), (extensions, .extension)] {
            guard let output else { continue }
            let bound = LoopBound(self, on: loop)
            let loop = loop
            output.onLine { line, time in
                let text = String(decoding: line, as: UTF8.self)
                // What is read on the loop, before the report of a call, goes before it.
                if loop.isCurrent { return bound.value.line(text, kind, at: time) }
                loop.execute { bound.value.line(text, kind, at: time) }
            }
        }
    }

    private func line(_ text: String, _ kind: TelemetrySubscription.Kind, at time: Timestamp) {
        let event = PlatformEvent(kind.rawValue, .string(text), at: time)
        for subscriber in subscribers where subscriber.wants(kind) { subscriber.add(event) }
    }

    /// Sends what waits and sends no more.
    func close() {
        for subscriber in subscribers { subscriber.close() }
        subscribers = []
    }
}
