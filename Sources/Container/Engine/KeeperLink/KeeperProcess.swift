import Glibc
import Linux
import Spawn

/// The keeper as a process of this machine: its socket, and its start when none runs.
package struct KeeperProcess: KeeperAccess {
    private let run: String
    private let executable: String?

    /// How long a keeper may take until it can be connected to.
    private static let startLimit = Duration.seconds(10)

    /// - Parameters:
    ///   - run: the directory of the keeper's socket and log.
    ///   - executable: nil: `forkless-keeper` beside our own executable.
    package init(run: String, executable: String? = nil) {
        self.run = run
        self.executable = executable
    }

    package var socket: String { "\(run)/keeper.sock" }

    package func connect() async throws(NodeFailure) -> MessageChannel? {
        do { return try await MessageChannel.connect(to: socket) } catch
            where error.code == .noEntry || error.code == .connectionRefused { return nil } catch {
            throw NodeFailure(.unavailable, "reach the keeper: \(error)")
        }
    }

    /// Starts it in a session of its own: it outlives the node.
    package func start() async throws(NodeFailure) {
        let path = try executablePath()
        let program: RunningProgram
        do {
            let log = SharedFD(try Files.open("\(run)/keeper.log", O_WRONLY | O_CREAT | O_APPEND))
            var options = Options()
            options.standardInput = .null
            options.standardOutput = .descriptor(log.raw)
            options.standardError = .descriptor(log.raw)
            options.directory = "/"
            options.group = .ownSession
            let template = try Template(.path(path), arguments: ["--socket", socket, "--run", run], options: options)
            program = try await template.startInBackground()
            withExtendedLifetime(log) {}
        } catch let error as SpawnError {
            throw NodeFailure(.unavailable, "start the keeper \(path): \(error)")
        } catch { throw NodeFailure(.unavailable, "start the keeper \(path): \(error)") }
        try await untilReachable(program, path)
    }

    private func untilReachable(_ program: RunningProgram, _ path: String) async throws(NodeFailure) {
        let deadline = ContinuousClock.now + Self.startLimit
        while ContinuousClock.now < deadline {
            if try await connect() != nil { return }
            // One that another node has started at the same moment is as good as ours, which then ends.
            if let end = try? program.exitIfEnded(), try await connect() == nil {
                throw NodeFailure(.unavailable, "the keeper \(path) \(end.status): \(lastWords())")
            }
            do { try await Task.sleep(for: .milliseconds(2)) } catch {
                throw NodeFailure(.cancelled, "starting the keeper was taken back")
            }
        }
        throw NodeFailure(.unavailable, "the keeper \(path) does not answer at \(socket); see \(run)/keeper.log")
    }

    /// The last line that it wrote.
    private func lastWords() -> String {
        let text = (try? Files.readText("\(run)/keeper.log")) ?? ""
        return text.split(separator: "\n").last.map(String.init) ?? "it said nothing"
    }

    private func executablePath() throws(NodeFailure) -> String {
        if let executable { return executable }
        do {
            var own = try OwnProcess.executable().split(separator: "/", omittingEmptySubsequences: false)
            own[own.count - 1] = "forkless-keeper"
            let path = own.joined(separator: "/")
            guard Files.exists(path) else {
                throw NodeFailure(
                    .unavailable, "there is no \(path): install the keeper beside forkless, or name it in FORKLESS_KEEPER")
            }
            return path
        } catch let failure as NodeFailure { throw failure } catch {
            throw NodeFailure(.unavailable, "find the keeper: \(error)")
        }
    }
}
