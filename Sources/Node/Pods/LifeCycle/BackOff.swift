import Linux

/// How long is waited between two attempts: at first not at all, then 10 s, 20 s ... up to 5 minutes.
///
/// As client-go's flowcontrol.Backoff is used by the kubelet: forgotten when the last attempt that it held up is more
/// than twice the longest pause ago.
struct BackOff: Hashable, Sendable {
    static let firstSeconds = 10
    static let mostSeconds = 300

    /// Of the last attempt; 0: none yet.
    private(set) var seconds = 0
    private var updated: Timestamp?

    /// When the next attempt may begin after one that ended at `time`.
    func due(after time: Timestamp) -> Timestamp { isForgotten(at: time) ? time : time.adding(seconds: seconds) }

    /// An attempt begins.
    mutating func advance(after time: Timestamp, now: Timestamp) {
        seconds = isForgotten(at: time) ? Self.firstSeconds : min(seconds * 2, Self.mostSeconds)
        updated = now
    }

    mutating func clockMoved(by nanoseconds: Int) { updated = updated?.moved(by: nanoseconds) }

    private func isForgotten(at time: Timestamp) -> Bool {
        guard seconds > 0, let updated else { return true }
        return time > updated.adding(seconds: 2 * Self.mostSeconds)
    }

    /// "10s", "2m40s", "5m0s": as Go writes a duration.
    static func text(_ seconds: Int) -> String { seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s" }
}
