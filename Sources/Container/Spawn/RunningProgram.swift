public import Linux
import Synchronization

/// A program that has been started: its streams, its end, and the means to bring that about.
///
/// The name is not `Process`, so that it stands beside Foundation's.
///
/// Letting go of the last reference does not stop the program: it goes on by itself and is reaped when it ends.
/// A program that must not outlive a scope is started with `Template.withRunning`.
///
/// Invariants
/// 1. The child is reaped exactly once, under the lock, by whoever sees its end first.
///    (tests: `many tasks wait for one program and all learn of its end`, `a killed child is reaped exactly once`)
/// 2. The end is the process's own: streams that other processes still hold open delay nothing.
///    (test: `a grandchild that keeps standard output open does not delay the end`)
/// 3. Signals go through the pidfd: after the end they reach nobody.
///    (test: `a signal after the end reaches nobody`)
public final class RunningProgram: Sendable {
    /// The process id. For humans and files of the kernel: once the program has been waited for, the number may be
    /// another process's.
    public let pid: Int32
    /// What was executed, for messages.
    public let name: String
    /// The way in, when the template or the call said `.pipe` or `.terminal`.
    public let standardInput: ProgramInput?
    /// What it writes, when the template or the call said `.pipe` or `.terminal`.
    public let standardOutput: ProgramOutput?
    public let standardError: ProgramOutput?

    let pidfd: SharedFD
    let leadsGroup: Bool
    let cgroup: SharedFD?
    private let terminal: SharedFD?
    private let state = Mutex(State())

    private struct State {
        var exit: ExitRecord?
        var detached = false
    }

    init(_ launched: consuming Launched, name: String, options: Options, connections: borrowing Connections) {
        pid = launched.pid
        pidfd = SharedFD(launched.takePidfd())
        self.name = name
        leadsGroup = options.leadsGroup
        cgroup = options.cgroup
        let terminal = connections.terminalMaster
        self.terminal = terminal
        standardInput = connections.inputWriter.map {
            ProgramInput($0, isTerminal: $0 === terminal, name: "standard input of \(name)")
        }
        standardOutput = connections.outputReader.map {
            ProgramOutput($0, isTerminal: $0 === terminal, name: "standard output of \(name)")
        }
        standardError = connections.errorReader.map {
            ProgramOutput($0, isTerminal: $0 === terminal, name: "standard error of \(name)")
        }
    }

    deinit {
        guard state.withLock({ $0.exit }) == nil, (try? ProcessFD.reapIfEnded(pidfd.raw)) == .some(nil) else { return }
        // A zombie would be left otherwise.
        Task.detached { [pidfd] in
            try? await Readiness.shared.readable(pidfd.raw)
            _ = try? ProcessFD.reapIfEnded(pidfd.raw)
        }
    }

    /// Waits until the program has ended and returns how, with what it and the children that it waited for used.
    ///
    /// Any number of tasks may wait, at any time; all get the same record.
    /// - Throws: `SpawnError`; ECANCELED when the task was cancelled (the program goes on), ECHILD when somebody else
    ///   reaped it: `waitpid(-1)` elsewhere in this process, or SIGCHLD being ignored.
    public func wait() async throws(SpawnError) -> ExitRecord {
        while true {
            if let exit = try exitIfEnded() { return exit }
            do { try await Readiness.shared.readable(pidfd.raw) } catch { throw waitFailure(error) }
        }
    }

    /// The same on a thread that may block: no task of Swift's cooperative pool.
    public func waitBlocking() throws(SpawnError) -> ExitRecord {
        while true {
            do { try Files.waitUntilReadable(pidfd.raw) } catch { throw waitFailure(error) }
            if let exit = try exitIfEnded() { return exit }
        }
    }

    /// How the program has ended; nil while it runs.
    public func exitIfEnded() throws(SpawnError) -> ExitRecord? {
        do {
            return try state.withLock { state throws(SystemError) in
                if state.exit == nil { state.exit = try ProcessFD.reapIfEnded(pidfd.raw) }
                return state.exit
            }
        } catch { throw waitFailure(error) }
    }

    /// Sends a signal to the program alone. To one that has ended it is no error.
    public func signal(_ number: Int32) throws(SpawnError) {
        try spawning { () throws(SystemError) in try ProcessFD.signal(number, to: pidfd.raw) }
    }

    /// Changes the size of the program's terminal; it gets SIGWINCH.
    ///
    /// - Throws: `SpawnError`; ENOTTY when it has no terminal of its own.
    public func resizeTerminal(to size: Terminal.Size) throws(SpawnError) {
        guard let terminal else {
            throw SpawnError(
                step: "resize the terminal of \(name)", code: .notTerminal, advice: "It was started without one.")
        }
        try spawning { () throws(SystemError) in try Terminal.setSize(size, of: terminal.raw) }
    }

    /// Leaves the program running at the end of `Template.withRunning`.
    public func detach() { state.withLock { $0.detached = true } }

    var isDetached: Bool { state.withLock { $0.detached } }

    private func waitFailure(_ error: SystemError) -> SpawnError {
        let advice =
            switch error.code {
            case .noChild: "Something else in this process waits for its children, or SIGCHLD is ignored."
            default: ""
            }
        return SpawnError(step: "wait for \(name)", code: error.code, advice: advice)
    }
}
