import Glibc
import Keeper
package import Linux
import Spawn

// Taking part in what runs, and leaving it to itself.

extension ContainerEngine {
    /// Attaches to a running container and returns at its end.
    package func attach(
        _ request: AttachContainer, started: (AttachStarted, [SharedFD]) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) -> ExecuteAnswer {
        let worker = try registry.find(request.container)
        let record = worker.record
        let sandbox = try runningSandbox(worker)
        guard record.lifecycle.phase != .paused else {
            throw NodeFailure(.conflict, "container \(record.name): you cannot attach to a paused container, unpause it first")
        }
        guard record.isLogged else {
            throw NodeFailure(
                .unsupported,
                "container \(record.name): its streams are those of who started it; only one that was started with -d, or "
                    + "on a terminal, can be attached to")
        }
        var descriptors = try await link.attach(sandbox)
        var answer = AttachStarted(hasTerminal: record.spec.hasTerminal, hasInput: record.spec.hasTerminal)
        if !record.spec.hasTerminal, record.spec.isInteractive {
            let (id, directory) = (record.id, directory)
            if let held = inputs.take(of: id) {
                descriptors.append(held)
                answer.hasInput = true
            } else {
                do {
                    descriptors.append(
                        try await BlockingPool.shared.run { () throws(SystemError) in
                            SharedFD(try directory.openInput(of: id, O_WRONLY | O_NONBLOCK))
                        })
                    answer.hasInput = true
                    // The program may have closed it, which is its good right.
                } catch where error.code == .noDevice {} catch { throw NodeFailure(.system, "attach to \(record.name): \(error)") }
            }
        }
        try await started(answer, descriptors)
        // Who took them closes them, which is the end of an input.
        descriptors = []
        journal.note("attach", of: record)
        return ExecuteAnswer(end: try await end(of: worker, run: record.lifecycle.runs))
    }

    /// Runs another program in a container, with nobody to wait for it or to see its output.
    package func execute(detached request: ExecuteInContainer) async throws(NodeFailure) -> ExecuteStarted {
        let worker = try registry.find(request.container)
        let execution = try await Execution(
            request, in: worker.record, sandbox: try runningSandbox(worker), planner: planner, ground: ground)
        var streams: [SharedFD] = []
        if request.terminalSize == nil {
            do {
                let nothing = SharedFD(try Files.open("/dev/null", O_RDWR))
                streams = [nothing, nothing, nothing]
            } catch { throw NodeFailure(.system, "\(error)") }
        }
        let (started, terminal) = try await executions.runDetached(execution, descriptors: streams)
        for fd in terminal { drain(fd) }
        noteExecution(execution, "exec_start", of: worker.record)
        return started
    }

    /// Keeps the terminal of a program that was executed, now that its user has left.
    package func detach(from execution: String, _ descriptors: [SharedFD]) throws(NodeFailure) {
        guard let name = SandboxName(execution), name.execution != nil, let worker = registry.worker(id: name.id) else {
            throw NodeFailure(.notFound, "nothing is executed under the name \(execution)")
        }
        guard descriptors.count == 1, Terminal.isTerminal(descriptors[0].raw) else {
            throw NodeFailure(.badRequest, "the request takes the terminal that is left; \(descriptors.count) descriptors came")
        }
        drain(descriptors[0])
        journal.note("exec_detach", of: worker.record, attributes: ["execID": execution])
    }

    /// Reads and drops what a terminal says until its program has ended: unread, it would hold the program up; closed,
    /// it would hang it up.
    private func drain(_ terminal: SharedFD) {
        do { try Files.setNonBlocking(terminal.raw) } catch { return note("keep a terminal: \(error)") }
        Task {
            while (try? await Readiness.shared.readable(terminal.raw)) != nil {
                do throws(SystemError) {
                    // EIO is how a pseudo-terminal says that nobody has its other end any more.
                    if try Files.readSome(terminal.raw, count: 65536).isEmpty { return }
                } catch { if error.code != .again { return } }
            }
        }
    }

    func noteExecution(
        _ execution: Execution, _ action: String, of record: ContainerRecord, status: Int32? = nil
    ) {
        var attributes = ["execID": execution.request.name]
        attributes["exitCode"] = status.map { "\($0)" }
        let words = execution.request.call.arguments.strings.joined(separator: " ")
        journal.note(action == "exec_die" ? action : "\(action): \(words)", of: record, attributes: attributes)
    }

    var attachRoutes: [NodeRoute] {
        [
            NodeRoute(AttachContainer.self) { request, exchange async throws(NodeFailure) in
                try await self.attach(request) { started, descriptors async throws(NodeFailure) in
                    try await exchange.send(started, descriptors: descriptors.map(\.raw))
                    withExtendedLifetime(descriptors) {}
                }
            },
            NodeRoute(ExecuteDetached.self) { request, exchange async throws(NodeFailure) in
                try exchange.require(descriptors: 0, for: "a detached execution")
                return try await self.execute(detached: request.execution)
            },
            NodeRoute(DetachFromExecution.self) { request, exchange async throws(NodeFailure) in
                try self.detach(from: request.execution, exchange.descriptors)
                return NoValue()
            },
        ]
    }
}
