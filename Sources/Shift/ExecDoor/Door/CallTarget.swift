package import Linux
internal import Synchronization

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

/// The standard streams of a call, each nil when the caller gave none. Taken once, by whoever runs it, and let go of as soon
/// as the program has its own: a caller that reads a pipe to its end waits for every holder.
package final class CallStreams: Sendable {
    package struct Taken: Sendable {
        package var input: SharedFD?
        package var output: SharedFD?
        package var errors: SharedFD?
    }

    private let streams: Mutex<Taken>

    package init(input: SharedFD?, output: SharedFD?, errors: SharedFD?) {
        streams = Mutex(Taken(input: input, output: output, errors: errors))
    }

    package func take() -> Taken {
        streams.withLock { streams in
            defer { streams = Taken() }
            return streams
        }
    }
}

/// How a target's run ended.
package enum CallEnd: Sendable {
    /// The program ended; what it used, where that was counted.
    case ended(ExitStatus, ResourceUsage?)
    /// Nothing was started and nothing of the caller's was read or written: the original runs instead.
    case refused(String)
    /// The same, but for the input, which was read and is here: the original runs with it.
    case returned(String, input: SharedFD)
    /// Something ran and nobody knows how it ended. The caller sees a program that was killed by SIGKILL: to run
    /// the original would do the work a second time.
    case lost(String)
}
