/// Where the door is and what it bounds.
package struct DoorSettings: Hashable, Sendable {
    /// The path of the socket: RUN/exec.sock.
    package var socket: String
    /// Most calls that targets and shadows have at once; what comes beyond runs as the original.
    package var runLimit = 1024
    /// Most calls whose ends are waited for; what comes beyond is decided as well, and not measured.
    package var measuredLimit = 16384
    /// Most connections that have not said what they want.
    package var connectionLimit = 4096
    /// How long such a connection may take, milliseconds. A shim says it at once.
    package var headMilliseconds = 2000

    package init(socket: String) { self.socket = socket }
}

/// The door in numbers, since it was opened.
package struct DoorCounts: Hashable, Sendable {
    package var calls = 0
    package var originals = 0
    package var measured = 0
    package var targets = 0
    package var shadows = 0
    /// Calls that a target was to answer and the original did.
    package var detours = 0
    /// Connections that made no sense, of another version, or of a process that the kernel does not name.
    package var refused = 0
    package var running = 0

    package init() {}
}

/// What knows targets that a former node has started.
package protocol CallResumption: Sendable {
    /// Waits for the end of the target of this token; nil: there is none, and there never will be.
    func end(of token: CallToken, _ control: CallControl) async -> CallEnd?
}
