import Engine
import Linux
import Spawn
import Synchronization

/// A keeper for one `forkless run`: it serves the one connection that it inherits, and ends with it whatever becomes
/// of us, taking along what still runs.
final class OwnKeeper: KeeperAccess {
    private enum State {
        case absent
        case started(RunningProgram, MessageChannel)
        /// The connection was handed out.
        case connected(RunningProgram)
    }

    private let state = Mutex(State.absent)
    private let executable: String
    private let cgroupParent: String

    /// The number under which the keeper finds its connection.
    private static let connectionNumber: CInt = 3

    init(executable: String, cgroupParent: String) {
        self.executable = executable
        self.cgroupParent = cgroupParent
    }

    func connect() async throws(NodeFailure) -> MessageChannel? {
        state.withLock { state in
            guard case .started(let program, let channel) = state else { return nil }
            state = .connected(program)
            return channel
        }
    }

    func start() async throws(NodeFailure) {
        if case .connected(let program) = state.withLock({ $0 }) {
            let end = (try? program.exitIfEnded()).flatMap { $0 }.map { "\($0.status)" } ?? "let go of its connection"
            throw NodeFailure(.unavailable, "the keeper of this run \(end)")
        }
        do {
            var pair = try MessageSocket.pair()
            let theirs = SharedFD(pair.takeSecond())
            var options = Options()
            options.standardInput = .null
            options.descriptors = [Self.connectionNumber: theirs]
            options.directory = "/"
            // The terminal's keys are for the program; the keeper ends with our connection.
            options.group = .ownSession
            let arguments = ["--connection", "\(Self.connectionNumber)", "--cgroup-parent", cgroupParent]
            let template = try Template(.path(executable), arguments: arguments, options: options)
            let program = try await template.startInBackground()
            let channel = try MessageChannel(adopting: pair.takeFirst())
            state.withLock { $0 = .started(program, channel) }
        } catch {
            throw NodeFailure(
                .unavailable, "start the keeper \(executable): \(error). `forkless doctor` tells what is missing")
        }
    }

    /// Waits until the keeper has cleaned up and ended, once its connection is closed.
    func untilEnded() async {
        switch state.withLock({ $0 }) {
        case .absent: return
        case .started(let program, _), .connected(let program): _ = try? await program.wait()
        }
    }
}
