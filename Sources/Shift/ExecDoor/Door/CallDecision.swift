package import Linux

/// What is done with one call.
package struct CallDecision: Sendable {
    package enum Way: Sendable {
        /// The original runs in the caller's child; nothing is recorded beyond that it was called.
        case original
        /// The same, and its end is recorded with what it used.
        case measured
        /// The target answers.
        case target(any CallTarget)
        /// The original answers; the target gets a copy of the input and its output is kept for comparison.
        case shadow(any CallTarget, ShadowRules)
    }

    package var way: Way
    /// The original by descriptor (O_PATH, opened before the shim was mounted over it), for programs that are no
    /// scripts: executed this way, /proc/self/exe is the path that callers know, and so are security profiles that
    /// go by it. nil: the shim executes the path that was patched into it.
    package var original: SharedFD?
    /// What the caller's child has to execute: the shim, which whoever may execute the program may execute, and nobody
    /// else. Whatever else comes to the door is sent to the original with the rights that it has. nil: anything.
    package var shim: ProgramIdentity?

    package init(_ way: Way, original: SharedFD? = nil, shim: ProgramIdentity? = nil) {
        self.way = way
        self.original = original
        self.shim = shim
    }
}

/// Bounds of a shadow run.
package struct ShadowRules: Hashable, Sendable {
    /// Most bytes kept of each stream of either side; what is beyond is counted and digested, not kept.
    package var keptBytes = 1 << 20
    /// How long the target may take longer than the original before it is stopped and counts as failed.
    package var patience = Duration.seconds(30)
    /// Files that calls write, compared as well: absolute, or below the working directory of the call.
    package var outputFiles: [String] = []

    package init() {}
}

/// Decides about every call and hears how each ended: the book of shifts.
package protocol CallDecider: Sendable {
    /// Called on the door's own thread, once for each call: synchronous and fast, from memory alone. A shim waits.
    /// nil: there is no such shift (any more); the original runs.
    func decide(_ head: CallHead) -> CallDecision?

    /// Called once for each call that was decided, when all about it is known; on any thread.
    func ended(_ record: CallRecord)
}
