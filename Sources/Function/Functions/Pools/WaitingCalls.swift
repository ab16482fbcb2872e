/// Calls that wait for an instance, in the order in which they came, each until a time of its own.
struct WaitingCalls: Sendable {
    struct Call: Hashable, Sendable {
        var id: CallID
        var arrivedAt: Instant
        /// It is refused at this time.
        var expiresAt: Instant
        /// Whether that is the caller's deadline and not the pool's limit.
        var hasDeadline: Bool
    }

    private var calls: [Call] = []
    /// Those before it are gone; moved together now and then, so that taking the first costs the same for any number.
    private var head = 0
    /// None expires before this.
    private(set) var nextExpiry: Instant?

    var count: Int { calls.count - head }
    var isEmpty: Bool { calls.count == head }
    var first: Call? { isEmpty ? nil : calls[head] }

    mutating func append(_ call: Call) {
        calls.append(call)
        nextExpiry = min(nextExpiry ?? call.expiresAt, call.expiresAt)
    }

    mutating func prepend(_ call: Call) {
        calls.replaceSubrange(..<head, with: CollectionOfOne(call))
        head = 0
        nextExpiry = min(nextExpiry ?? call.expiresAt, call.expiresAt)
    }

    mutating func popFirst() -> Call? {
        guard !isEmpty else { return nil }
        defer { head += 1 }
        let call = calls[head]
        if head + 1 == calls.count {
            calls.removeAll(keepingCapacity: true)
            head = -1
            nextExpiry = nil
        } else if head >= 64, head * 2 > calls.count {
            calls.removeFirst(head + 1)
            head = -1
        }
        return call
    }

    /// Takes out those whose time has come.
    mutating func expire(now: Instant) -> [Call] {
        guard let nextExpiry, nextExpiry <= now else { return [] }
        let all = calls[head...]
        let over = all.filter { $0.expiresAt <= now }
        calls = all.filter { $0.expiresAt > now }
        head = 0
        self.nextExpiry = calls.map(\.expiresAt).min()
        return over
    }

    mutating func removeAll() -> [Call] {
        defer { self = WaitingCalls() }
        return Array(calls[head...])
    }
}
