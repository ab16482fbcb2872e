/// How a pool sizes itself and how long things may take. Every limit of a pool stands here with its reason.
package struct PoolConfiguration: Hashable, Sendable {
    /// Copies kept waiting even when nobody calls. 0: the pool shrinks to nothing.
    package var minimum: Int
    /// Copies that may be alive at once: being started, waiting, in use and being stopped.
    package var maximum: Int
    /// Copies being started at the same time. More than there are processors only slows all of them down,
    /// and the calls that run meanwhile.
    package var startsAtOnce: Int
    /// The remembered peak of demand is halved whenever it was not reached for this long.
    package var idleTimeout: Duration = .seconds(30)
    /// Calls that may wait for a copy: beyond it an answer would come too late to be of use.
    package var waitingCallsLimit = 1000
    /// How long a call waits for a copy.
    package var waitingTimeLimit: Duration = .seconds(30)
    /// How long a started copy may take to its first read. Programs that load gigabytes first need more.
    package var startTimeLimit: Duration = .seconds(60)
    /// A waiting copy is replaced after this long, since what it read from files at its start grows old.
    package var longestWait: Duration = .seconds(600)
    /// After this long without a call the minimum is not kept either, until the next call; nil: it always is.
    package var keepsMinimumFor: Duration?
    /// A copy that was taken is replaced when a call has ended or after this long, whichever is first, and at once
    /// while calls wait: a start costs more than a short program's call, and would slow down the one that has just
    /// begun. Measured with `cat` on two processors: calls took twice as long with a start beside each.
    package var refillDelay: Duration = .milliseconds(20)
    /// The same when no copy is left that waits: the next call would be cold.
    package var lastRefillDelay: Duration = .milliseconds(2)
    /// Copies that ended unused, one after the other, until calls are told that the program cannot stand by.
    package var failuresLimit = 3
    /// The pause after the first failed copy; it doubles with each further one.
    package var firstPause: Duration = .milliseconds(100)
    /// The longest pause between attempts.
    package var longestPause: Duration = .seconds(30)

    package init(minimum: Int = 1, maximum: Int, startsAtOnce: Int = 2) {
        self.minimum = minimum
        self.maximum = maximum
        self.startsAtOnce = startsAtOnce
    }

    /// What a machine can carry: eight copies a processor (most of them wait), and no more than half of the memory.
    package static func suggestedMaximum(processors: Int, memoryBytes: Int, bytesPerCopy: Int) -> Int {
        max(1, min(8 * processors, memoryBytes / 2 / max(bytesPerCopy, 1)))
    }

    /// - Throws: `PoolError` of kind `badDefinition`, which names the value that makes no sense.
    package func validate() throws(PoolError) {
        let wrong: String? =
            if minimum < 0 {
                "minimum is \(minimum): it must be 0 or more"
            } else if maximum < 1 {
                "maximum is \(maximum): it must be 1 or more"
            } else if minimum > maximum {
                "minimum \(minimum) is above maximum \(maximum)"
            } else if startsAtOnce < 1 {
                "startsAtOnce is \(startsAtOnce): it must be 1 or more"
            } else if waitingCallsLimit < 0 {
                "waitingCallsLimit is \(waitingCallsLimit): it must be 0 or more"
            } else if failuresLimit < 1 {
                "failuresLimit is \(failuresLimit): it must be 1 or more"
            } else if lastRefillDelay < .zero || refillDelay < lastRefillDelay || refillDelay > .seconds(60) {
                "lastRefillDelay is \(lastRefillDelay) and refillDelay \(refillDelay): neither may be negative, "
                    + "the first not above the second, and that not above a minute"
            } else {
                wrongSpan
            }
        if let wrong { throw PoolError(.badDefinition, "configure a standby pool: \(wrong)") }
    }

    private var wrongSpan: String? {
        let spans = [
            ("idleTimeout", idleTimeout), ("waitingTimeLimit", waitingTimeLimit), ("startTimeLimit", startTimeLimit),
            ("longestWait", longestWait), ("firstPause", firstPause), ("longestPause", longestPause),
        ]
        let everySpan = spans + (keepsMinimumFor.map { [("keepsMinimumFor", $0)] } ?? [])
        // The upper bound keeps sums of nanoseconds within an Int.
        for (name, span) in everySpan where span <= .zero || span > .seconds(366 * 86_400) {
            return "\(name) is \(span): it must be more than nothing and at most a year"
        }
        return nil
    }
}
