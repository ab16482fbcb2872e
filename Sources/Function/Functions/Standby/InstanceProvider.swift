package import Linux

/// Where instances come from: sandboxes of this machine by default, something else elsewhere.
///
/// A pool never starts more than it may, stops what it does not need and learns of every end; a provider only does.
package protocol InstanceProvider: Sendable {
    /// Starts one copy of the program, in a fresh sandbox, with pipes as its standard streams.
    func start() async throws(InstanceFailure) -> StartedInstance

    /// Whether the copy waits for its input, asked again and again while it is starting. False when it is gone.
    func isWaitingForInput(_ instance: StartedInstance) async throws(InstanceFailure) -> Bool

    /// Ends the copy and everything that it started, at once. No error when it has ended already.
    func stop(_ instance: StartedInstance) async

    /// Returns when the copy has ended. Asked once for each.
    func end(of instance: StartedInstance) async -> InstanceEnd

    /// No more copies will be asked for, and none of them runs any more.
    func close() async
}

/// Why a provider could not do something: a sentence that says what it tried, on what, and why it failed.
package struct InstanceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var sentence: String

    package init(_ sentence: String) { self.sentence = sentence }

    package var description: String { sentence }
}

/// A copy that runs.
package struct StartedInstance: Sendable {
    /// The provider's name for it, never used twice.
    package var name: String
    /// Its first process, as the machine numbers it.
    package var pid: Int32
    package var streams: InstanceStreams

    package init(name: String, pid: Int32, streams: InstanceStreams) {
        self.name = name
        self.pid = pid
        self.streams = streams
    }
}

/// How a copy ended and what it used.
package struct InstanceEnd: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case ended(ExitStatus)
        /// Nobody knows, because of this (the keeper was lost, for instance).
        case unknown(String)
    }

    package var outcome: Outcome
    package var userMicroseconds: Int
    package var systemMicroseconds: Int
    /// The most memory that it held at one time: the whole sandbox where that is counted, else its largest process.
    package var peakMemoryBytes: Int
    /// The kernel killed it because its memory limit was reached.
    package var outOfMemory: Bool

    package init(
        _ outcome: Outcome, userMicroseconds: Int = 0, systemMicroseconds: Int = 0, peakMemoryBytes: Int = 0,
        outOfMemory: Bool = false
    ) {
        self.outcome = outcome
        self.userMicroseconds = userMicroseconds
        self.systemMicroseconds = systemMicroseconds
        self.peakMemoryBytes = peakMemoryBytes
        self.outOfMemory = outOfMemory
    }

    /// Completes "the program ...".
    package var how: String {
        switch outcome {
        case .ended(.exited(let status)): "ended with status \(status)"
        case .ended(let signaled): outOfMemory ? "was \(signaled): its memory limit was reached" : "was \(signaled)"
        case .unknown(let reason): "was lost: \(reason)"
        }
    }
}
