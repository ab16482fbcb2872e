package import Linux
internal import Synchronization

/// The node's side of the shims: listens at a socket, asks the decider about every call, and has it done.
///
/// One thread of its own does everything that a measured call needs, so that the answer leaves some ten microseconds
/// after the call has come; targets run as tasks. `DoorThread` is that thread.
package final class ExecDoor: Sendable {
    private let settings: DoorSettings
    private let decider: any CallDecider
    private let resumption: (any CallResumption)?
    private let accounting: @Sendable () -> (any TaskEnds)?
    private let inbox = DoorInbox()
    private let state = Mutex(State.closed)

    private enum State {
        case closed
        case open
    }

    /// - Parameters:
    ///   - resumption: who knows targets that a former node has started; nil: they are lost.
    ///   - accounting: opens the kernel's account of what processes used, with the first measured call.
    package init(
        _ settings: DoorSettings, decider: any CallDecider, resumption: (any CallResumption)? = nil,
        accounting: @escaping @Sendable () -> (any TaskEnds)? = { KernelTaskEnds() }
    ) {
        self.settings = settings
        self.accounting = accounting
        self.decider = decider
        self.resumption = resumption
    }

    /// Opens the door. A socket that a former node left there is replaced.
    ///
    /// Everybody may connect: who may execute the program may call it, and the kernel says who calls.
    package func start() throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            guard case .closed = state else { return }
            try? Files.remove(settings.socket)
            let listener = try StreamSocket.listen(at: settings.socket)
            try Files.setPermissions(settings.socket, 0o666)
            let wake = try inbox.open()
            let parts = DoorThread.Parts(
                listener: SharedFD(listener), wake: wake, inbox: inbox, settings: settings, decider: decider,
                resumption: resumption, accounting: accounting)
            try HelperThread.start("forkless-exec") { DoorThread(parts).run() }
            state = .open
        }
    }

    /// Takes no more calls, and returns when the thread has ended. Shims that wait execute the original; those whose
    /// targets run wait for the next node.
    package func stop() async {
        let wasOpen = state.withLock { state in
            defer { state = .closed }
            if case .open = state { return true }
            return false
        }
        guard wasOpen else { return }
        try? Files.remove(settings.socket)
        await inbox.stop()
    }

    package var counts: DoorCounts { inbox.counts }
}

/// How the door's thread is reached from elsewhere.
final class DoorInbox: Sendable {
    enum Note: Sendable {
        case finished(connection: UInt64, TargetRun.Outcome)
        case prepared(connection: UInt64, Prepared)
        case shadowed(CallRecord)
        case stop
    }

    /// A shadow that can begin, or why it cannot.
    struct Prepared: Sendable {
        var head: CallHead
        var run: ShadowRun?
        var streams: ShadowStreams?
        var obstacle: String?
    }

    private struct State {
        var notes: [Note] = []
        var writer: SharedFD?
        var counts = DoorCounts()
        var stopped: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Opens it: the returned descriptor is readable when there is a note.
    func open() throws(SystemError) -> SharedFD {
        var pipe = try Files.pipe(nonBlocking: true)
        let writer = SharedFD(pipe.takeWriter())
        let reader = SharedFD(pipe.takeReader())
        state.withLock {
            $0.writer = writer
            $0.notes = []
        }
        return reader
    }

    func post(_ note: Note) {
        let writer = state.withLock { state in
            state.notes.append(note)
            return state.notes.count == 1 ? state.writer : nil
        }
        // A full pipe wakes as well.
        if let writer { _ = try? Files.writeAvailable([1], to: writer.raw) }
    }

    func take() -> [Note] {
        state.withLock { state in
            defer { state.notes = [] }
            return state.notes
        }
    }

    func stop() async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.stopped = continuation }
            post(.stop)
        }
    }

    /// The thread is at its end.
    func ended() {
        let continuation = state.withLock { state in
            defer { state.stopped = nil }
            state.writer = nil
            return state.stopped
        }
        continuation?.resume()
    }

    var counts: DoorCounts { state.withLock { $0.counts } }
    func count(_ change: (inout DoorCounts) -> Void) { state.withLock { change(&$0.counts) } }
}
