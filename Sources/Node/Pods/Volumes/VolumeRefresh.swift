import Linux

/// When the volumes of a pod that show other objects are brought up to date again. Pure.
///
/// Invariants
/// 1. After a failure there is always a next attempt.
///    (test: `a refresh that fails is tried again after growing pauses, and a success forgets them`)
/// 2. Attempts follow one another, and a wish that comes during one is not lost.
///    (test: `what changes during a refresh is looked at after it`)
struct VolumeRefresh: Hashable, Sendable {
    static let firstRetrySeconds = 10
    static let mostRetrySeconds = 120

    /// The pause after the last failure; 0: the last attempt has succeeded.
    private var retrySeconds = 0
    private var isUnderWay = false
    private var isWantedAgain = false

    /// Somebody wants an attempt.
    ///
    /// - Returns: whether it begins now; else one is under way, and another follows it.
    mutating func begin() -> Bool {
        guard !isUnderWay else {
            isWantedAgain = true
            return false
        }
        isUnderWay = true
        return true
    }

    /// - Parameter due: when something in the volumes runs out; nil: never.
    /// - Returns: how long the next attempt waits; nil: for a change.
    mutating func succeeded(due: Timestamp?, now: Timestamp) -> Duration? {
        retrySeconds = 0
        guard !end() else { return .zero }
        return due.map { Duration.nanoseconds(max(1_000_000_000, $0.nanoseconds - now.nanoseconds)) }
    }

    /// - Returns: how long the next attempt waits.
    mutating func failed() -> Duration {
        retrySeconds = min(max(Self.firstRetrySeconds, retrySeconds * 2), Self.mostRetrySeconds)
        return end() ? .zero : .seconds(retrySeconds)
    }

    /// Whether another attempt was wanted meanwhile.
    private mutating func end() -> Bool {
        defer { (isUnderWay, isWantedAgain) = (false, false) }
        return isWantedAgain
    }
}
