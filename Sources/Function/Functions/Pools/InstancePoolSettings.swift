package import Lambda

/// How the pool of a function version sizes itself and how long things may take. Every limit stands here with its reason.
package struct InstancePoolSettings: Hashable, Sendable {
    /// Calls that one instance serves at once.
    package var places = 1
    /// Each instance serves one call only, and the next ones are prepared ahead as demand says.
    package var isFresh = false
    /// The last idle instance goes after this long without a call. Ten minutes: somebody who works at a screen comes back
    /// within it, a function that runs once a night does not hold memory by day. Until then nobody pays for an idle
    /// instance: memory that another function needs is taken from it at once.
    package var idleTimeout: Duration = .seconds(600)
    /// The remembered peak of demand is halved whenever it was not reached for this long: of the 64 instances of a burst,
    /// two are left after ten minutes.
    package var fadeInterval: Duration = .seconds(120)
    /// An instance that is older takes no more calls: what a program leaks, and what it has read at its start, does not
    /// stay for ever. Lambda ends its environments after about as long.
    package var recycleAge: Duration = .seconds(7200)
    /// Calls that may wait for an instance. Less than the account's limit, so that one function's burst leaves places for
    /// the calls of others.
    package var waitingCallsLimit = 600
    /// How long a call waits for an instance: half of what clients wait for an answer (botocore: 60 s).
    package var waitingTimeLimit: Duration = .seconds(30)
    /// Fresh instances prepared ahead at most: each holds its memory.
    package var preparedLimit = 16
    /// A fresh instance that was taken is replaced when a call has ended or after this long, whichever is first: a start
    /// slows down the call that has just begun. At once while calls wait.
    package var refillDelay: Duration = .milliseconds(20)
    /// The same when none is left: the next call would wait for a whole start.
    package var lastRefillDelay: Duration = .milliseconds(1)
    /// Failed starts, one after the other, until calls are answered with the failure without another try.
    package var failuresLimit = 3
    /// The pause after so many failed starts; it doubles with each further one.
    package var firstPause: Duration = .milliseconds(200)
    /// The pause after a failure that a retry does not cure, and the longest of all.
    package var longestPause: Duration = .seconds(10)

    package init() {}

    /// As a function's settings say.
    package init(_ function: DeployedFunction, base: InstancePoolSettings = InstancePoolSettings()) {
        self = base
        switch function.settings.freshness {
        case .reuse: break
        case .fresh: isFresh = true
        case .concurrent(let count): places = max(count, 1)
        }
        // Its program reads one input to the end.
        if function.runtime == .stdio {
            isFresh = true
            places = 1
        }
    }
}
