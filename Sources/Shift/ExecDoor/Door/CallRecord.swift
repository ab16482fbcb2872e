package import Linux

/// One call, when all about it is known.
package struct CallRecord: Sendable {
    package enum Way: String, Hashable, Sendable, CaseIterable {
        case original, measured, target, shadow
    }

    package var head: CallHead
    /// What answered the caller.
    package var way: Way
    /// Why the original answered although a target was to; nil: it went as decided.
    package var detour: String?
    /// From the arrival of the call to the decision's departure, nanoseconds.
    package var decisionNanoseconds: Int
    /// What the caller got; nil for unrecorded originals, and where the kernel could not tell.
    package var answer: CallOutcome?
    /// The target's side of a shadowed call.
    package var shadow: ShadowOutcome?

    package init(
        head: CallHead, way: Way, detour: String? = nil, decisionNanoseconds: Int, answer: CallOutcome? = nil,
        shadow: ShadowOutcome? = nil
    ) {
        self.head = head
        self.way = way
        self.detour = detour
        self.decisionNanoseconds = decisionNanoseconds
        self.answer = answer
        self.shadow = shadow
    }
}

/// How a program ended, and what it took.
package struct CallOutcome: Sendable {
    /// nil: the kernel could not tell (PIDFD_GET_INFO needs Linux 6.15), or nobody knows.
    package var status: ExitStatus?
    /// nil where nobody counted.
    package var usage: ResourceUsage?
    /// From the call's arrival to the end, nanoseconds.
    package var wallNanoseconds: Int

    package init(status: ExitStatus?, usage: ResourceUsage?, wallNanoseconds: Int) {
        self.status = status
        self.usage = usage
        self.wallNanoseconds = wallNanoseconds
    }
}

/// Both sides of a shadowed call.
package struct ShadowOutcome: Sendable {
    /// How the target ended; nil with a reason: it did not run, or not with the same input.
    package var outcome: CallOutcome?
    package var reason: String?
    package var originalOutput: CapturedStream
    package var originalErrors: CapturedStream
    package var targetOutput: CapturedStream
    package var targetErrors: CapturedStream
    /// The declared output files that either side has written, by name; nil: that side has left none.
    package var originalFiles: [String: CapturedStream?]
    package var targetFiles: [String: CapturedStream?]

    package init(
        outcome: CallOutcome?, reason: String?, originalOutput: CapturedStream, originalErrors: CapturedStream,
        targetOutput: CapturedStream, targetErrors: CapturedStream,
        originalFiles: [String: CapturedStream?] = [:], targetFiles: [String: CapturedStream?] = [:]
    ) {
        self.outcome = outcome
        self.reason = reason
        self.originalOutput = originalOutput
        self.originalErrors = originalErrors
        self.targetOutput = targetOutput
        self.targetErrors = targetErrors
        self.originalFiles = originalFiles
        self.targetFiles = targetFiles
    }
}

/// What was written to a stream, as far as it is kept.
package struct CapturedStream: Hashable, Sendable {
    /// The first bytes, at most `ShadowRules.keptBytes`.
    package var bytes: [UInt8] = []
    /// How many there were in all.
    package var total = 0
    /// Whether the stream could be seen at all: what goes to /dev/null or is closed is not.
    package var isObserved = true
    /// Both streams of the original are one open file (`2>&1`): this one is part of the other.
    package var isMerged = false

    package init() {}

    package var isComplete: Bool { isObserved && bytes.count == total }
}
