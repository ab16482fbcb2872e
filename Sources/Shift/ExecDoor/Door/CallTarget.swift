package import Linux

/// Something that runs calls in the original's place: a container per call, a standby, a function, a service.
package protocol CallTarget: Sendable {
    /// What of this call the target cannot keep, in words: the original runs instead, and the record says why.
    ///
    /// Called off the door's thread, before anything of the call was used.
    func obstacles(to call: ShimCall) -> [String]

    /// Runs the call with these streams, which are the caller's own descriptors (or, for a shadow, copies' ends).
    ///
    /// Before it has any effect it says so (`CallControl.commit`), and when it has the streams, that it has started.
    /// A target lets go of every descriptor before it returns: a caller that reads a pipe to its end waits for that.
    /// Cancellation means that the caller's child is gone: whatever runs is killed.
    func run(_ call: ShimCall, _ streams: CallStreams, _ control: CallControl) async -> CallEnd
}

/// The standard streams of a call; nil: it came without.
package struct CallStreams: Sendable {
    package var input: SharedFD?
    package var output: SharedFD?
    package var errors: SharedFD?

    package init(input: SharedFD?, output: SharedFD?, errors: SharedFD?) {
        self.input = input
        self.output = output
        self.errors = errors
    }
}

/// How a target's run ended.
package enum CallEnd: Sendable {
    /// The program ended; what it used, where that was counted.
    case ended(ExitStatus, ResourceUsage?)
    /// Nothing was started and nothing of the caller's was read or written: the original runs instead.
    case refused(String)
    /// Something ran and nobody knows how it ended. The caller sees a program that was killed by SIGKILL: to run
    /// the original would do the work a second time.
    case lost(String)
}
