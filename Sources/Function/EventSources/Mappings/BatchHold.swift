internal import Linux
internal import Synchronization

/// Keeps the messages of a batch invisible while its call is under way.
final class BatchHold: Sendable {
    /// For so long at a time: the node's death gives the messages back after that.
    static let span = 30

    private let messages: [ReceivedMessage]
    private let queue: String
    private let ground: MappingGround
    private let isOver = Mutex(false)

    init(_ messages: [ReceivedMessage], _ queue: String, _ ground: MappingGround) {
        self.messages = messages
        self.queue = queue
        self.ground = ground
    }

    /// When the messages would have been visible again by the queue's own time-out: so a failure is tried again then.
    var firstVisibleAt: Timestamp { messages.map(\.visibleAt).min()! }

    func begin() { renew(at: messages.map(\.visibleAt).min()!) }

    func end() { isOver.withLock { $0 = true } }

    /// Renews before the time at which the messages become visible.
    private func renew(at visible: Timestamp) {
        let now = ground.clock.now
        ground.clock.at(now + (visible - now) * 0.5) { [weak self] in
            guard let self, !isOver.withLock({ $0 }) else { return }
            let next = ground.clock.now + .seconds(Self.span)
            ground.queues.changeVisibility(messages.map { ($0.receipt, Self.span) }, of: queue) { [weak self] _ in
                self?.renew(at: next)
            }
        }
    }
}
