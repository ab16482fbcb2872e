package import Engine
import Glibc
package import Linux
import NodeLogs
import Spawn

/// `forkless node`: a node as a process, in the foreground or, detached, in the background.
package enum NodeProgram {
    /// How long a detached node may take until it serves.
    private static let startLimit = Duration.seconds(30)

    /// Signals that end the node. To be blocked before the first thread is made, with `blockSignals`.
    private static let endingSignals = [Signal.terminate, Signal.interrupt, Signal.hangUp]

    /// Belongs at the beginning of the program: signals are read, not delivered.
    package static func blockSignals() throws(SystemError) { try SignalFD.block(endingSignals) }

    /// Runs a node until it is told to end; containers run on.
    ///
    /// - Parameter ready: called when it serves.
    package static func run(
        _ settings: NodeSettings, parts: [NodePart.Maker] = [], ready: @Sendable (Node) -> Void = { _ in }
    ) async throws(NodeFailure) {
        let signals: SignalSource
        do { signals = try SignalSource(endingSignals) } catch { throw NodeFailure(.system, "\(error)") }
        let log = NodeLog(settings.log)
        // Also when it does not come up: what was said until then is why.
        defer { log.flush() }
        let node = try await Node.start(settings, parts: parts, log: log)
        log.write(.info, "node", "node \(settings.version) serves at \(node.settings.nodeSocket)")
        ready(node)
        let serving = Task { await node.serve() }
        let memory = Task { await MemoryReturn.keep() }
        defer { memory.cancel() }
        let number = await signals.next()
        log.write(.info, "node", "the node ends (\(number.map(Signal.name(of:)) ?? "cancelled")); what runs runs on")
        await node.stop()
        await serving.value
    }

    /// Starts a node in the background and returns when it serves.
    ///
    /// - Parameters:
    ///   - executable: what to start, by default ourselves.
    ///   - arguments: those of a node in the foreground.
    /// - Throws: `NodeFailure` with what the node said when it did not come up.
    package static func detach(
        _ settings: NodeSettings, executable: String? = nil, arguments: [String]
    ) async throws(NodeFailure) -> NodeVersion {
        let settings = try absolute(settings)
        let log = "\(settings.run)/node.log"
        let program: RunningProgram
        var began = 0
        do {
            try Files.makeDirectories(settings.run, mode: 0o700)
            let file = SharedFD(try Files.open(log, O_WRONLY | O_CREAT | O_APPEND))
            began = try Files.status(of: file.raw).size
            var options = Options()
            options.standardInput = .null
            options.standardOutput = .descriptor(file.raw)
            options.standardError = .descriptor(file.raw)
            options.directory = "/"
            options.group = .ownSession
            let path = try executable ?? OwnProcess.executable()
            program = try await Template(.path(path), arguments: arguments, options: options).startInBackground()
            withExtendedLifetime(file) {}
        } catch { throw NodeFailure(.unavailable, "start a node in the background: \(error)") }
        return try await untilServing(settings, program, log: log, from: began)
    }

    private static func untilServing(
        _ settings: NodeSettings, _ program: RunningProgram, log: String, from began: Int
    ) async throws(NodeFailure) -> NodeVersion {
        let deadline = ContinuousClock.now + startLimit
        while ContinuousClock.now < deadline {
            if let end = try? program.exitIfEnded() {
                let words = said(log, from: began)
                throw NodeFailure(.unavailable, "the node \(end.status): \(words.isEmpty ? "it said nothing" : words)")
            }
            if let client = try? await NodeClient.connect(to: settings.nodeSocket),
                let status = try? await client.call(GetStatus()), status.pid == program.pid
            {
                return try await client.call(GetVersion())
            }
            do { try await Task.sleep(for: .milliseconds(10)) } catch {
                throw NodeFailure(.cancelled, "starting the node was taken back")
            }
        }
        throw NodeFailure(.unavailable, "the node (pid \(program.pid)) does not serve yet; see \(log)")
    }

    /// The last line that it wrote since it was started.
    private static func said(_ log: String, from began: Int) -> String {
        guard let bytes = try? Files.read(log, limit: 64 << 20) else { return "" }
        let lines = String(decoding: bytes.dropFirst(began), as: UTF8.self).split(separator: "\n")
        return lines.last.map(String.init) ?? ""
    }

    private static func absolute(_ settings: NodeSettings) throws(NodeFailure) -> NodeSettings {
        do { return try settings.validated(workingDirectory: OwnProcess.workingDirectory() ?? "/") } catch {
            throw NodeFailure(.badRequest, error.description)
        }
    }
}

/// Signals as they arrive, for tasks.
private final class SignalSource: Sendable {
    private let signals: SignalFD

    init(_ numbers: [Int32]) throws(SystemError) { signals = try SignalFD(numbers) }

    /// The next one; nil when the task was cancelled.
    func next() async -> Int32? {
        while true {
            if let number = try? signals.next() { return number }
            do { try await Readiness.shared.readable(signals.fd.raw) } catch { return nil }
        }
    }
}
