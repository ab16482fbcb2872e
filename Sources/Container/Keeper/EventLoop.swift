import Linux

/// The keeper's one thread: waits for readiness and calls who asked for it.
///
/// Single-threaded by design: nothing here is Sendable and nothing is locked.
final class EventLoop {
    typealias Handler = (Poll.Interest) -> Void

    /// One interest in one descriptor.
    struct Watch: Hashable {
        fileprivate var token: UInt64
        fileprivate var descriptor: CInt
    }

    private let poll: Poll
    private var handlers: [UInt64: Handler] = [:]
    private var nextToken: UInt64 = 1
    private var afterEvents: [() -> Void] = []
    private var whenIdle: [() -> Void] = []
    private var events: [Poll.Event] = []
    private var stopped = false

    init() throws(SystemError) { poll = try Poll() }

    /// Calls the handler whenever the descriptor is ready, until `remove`.
    func add(_ descriptor: CInt, _ interest: Poll.Interest, _ handler: @escaping Handler) throws(SystemError) -> Watch {
        let watch = Watch(token: nextToken, descriptor: descriptor)
        nextToken += 1
        try poll.add(descriptor, interest, token: watch.token)
        handlers[watch.token] = handler
        return watch
    }

    func change(_ watch: Watch, _ interest: Poll.Interest) throws(SystemError) {
        try poll.change(watch.descriptor, interest, token: watch.token)
    }

    /// Forgets an interest; call it before the descriptor is closed. An event already fetched is not delivered.
    func remove(_ watch: Watch) {
        poll.remove(watch.descriptor)
        handlers[watch.token] = nil
    }

    /// Runs something after the events at hand, before the next wait.
    func afterThis(_ body: @escaping () -> Void) { afterEvents.append(body) }

    /// Runs something when no event is waiting: work that can be done ahead, one piece between two looks.
    func whenIdle(_ body: @escaping () -> Void) { whenIdle.append(body) }

    func stop() { stopped = true }

    func run() throws(SystemError) {
        while !stopped {
            try poll.wait(timeoutMilliseconds: whenIdle.isEmpty ? -1 : 0, into: &events)
            if events.isEmpty, !whenIdle.isEmpty {
                whenIdle.removeFirst()()
            }
            for event in events { handlers[event.token]?(event.interest) }
            while !afterEvents.isEmpty {
                let due = afterEvents
                afterEvents = []
                for body in due { body() }
            }
        }
    }
}
