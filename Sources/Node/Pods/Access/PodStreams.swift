import Engine
package import KubeObjects
package import Linux
import Synchronization

extension PodAgent: PodAccess {
    package func execute(
        _ target: PodTarget, _ options: PodStreamOptions, command: [String]
    ) async throws(APIFailure) -> any PodSession {
        guard let program = command.first, !program.isEmpty else {
            throw .badRequest("you must specify at least one command for the container")
        }
        let container = try running(target)
        let session = PodStreamSession(surroundings.engine, container)
        let request = ExecuteInContainer(
            container: container, program: program, arguments: Array(command.dropFirst()),
            terminalSize: options.tty ? Terminal.Size(rows: 24, columns: 80) : nil)
        try await session.execute(request, options)
        return session
    }

    package func attach(_ target: PodTarget, _ options: PodStreamOptions) async throws(APIFailure) -> any PodSession {
        let session = PodStreamSession(surroundings.engine, try running(target))
        try await session.attach(options)
        return session
    }

    package func connect(_ target: PodTarget, port: UInt16) async throws(APIFailure) -> SharedFD {
        let worker = try find(target)
        guard let place = surroundings.networks.place(ofPod: worker.uid) else {
            throw .badRequest("pod \"\(target.name)\" has no network now: it is not running")
        }
        let loopback = InternetEndpoint(IPAddress(bytes: [127, 0, 0, 1]), port)
        var problem = ""
        for endpoint in [loopback] + place.addresses.map({ InternetEndpoint($0, port) }) {
            do throws(SystemError) {
                if let namespace = place.namespace { return try await Connecting.connect(endpoint, in: namespace) }
                return try await Connecting.connect(endpoint, surroundings.settings.machineNetwork)
            } catch { problem = "\(error)" }
        }
        throw .internalError(
            "failed to connect to localhost:\(port) inside the namespace of pod \"\(target.name)\": \(problem)")
    }
}

/// The streams of a program in a container, in the hands of a client.
final class PodStreamSession: PodSession {
    private struct State {
        var input: SharedFD?
        var output: SharedFD?
        var errors: SharedFD?
        var execution: String?
        var end: Result<Int32, APIFailure>?
        var waiters: [CheckedContinuation<Result<Int32, APIFailure>, Never>] = []
        var hasTerminal = false
        var isAttached = false
    }

    private let engine: ContainerEngine
    private let container: String
    private let state = Mutex(State())
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ engine: ContainerEngine, _ container: String) {
        self.engine = engine
        self.container = container
    }

    var input: SharedFD? { state.withLock { $0.input } }
    var output: SharedFD? { state.withLock { $0.output } }
    var errors: SharedFD? { state.withLock { $0.errors } }

    // Beginning.

    func execute(_ request: ExecuteInContainer, _ options: PodStreamOptions) async throws(APIFailure) {
        let given: [SharedFD]
        do throws(SystemError) { given = options.tty ? [] : try makePipes(options) } catch {
            throw .internalError("make pipes: \(error)")
        }
        let hasTerminal = options.tty
        state.withLock { $0.hasTerminal = hasTerminal }
        try await begin { engine, started async throws(NodeFailure) in
            try await engine.execute(request, descriptors: given) { execution, descriptors async throws(NodeFailure) in
                self.state.withLock { $0.execution = execution.execution }
                if hasTerminal, let terminal = descriptors.first { self.take(terminal: terminal, options) }
                started()
            }.end.exitStatus
        }
    }

    func attach(_ options: PodStreamOptions) async throws(APIFailure) {
        state.withLock { $0.isAttached = true }
        let container = container
        try await begin { engine, started async throws(NodeFailure) in
            try await engine.attach(AttachContainer(container: container)) {
                answer, descriptors async throws(NodeFailure) in
                do throws(SystemError) { try self.take(attached: answer, descriptors, options) } catch {
                    throw NodeFailure(.system, "\(error)")
                }
                started()
            }.end.exitStatus
        }
    }

    /// Runs until the program has ended; returns when it has begun.
    private func begin(
        _ body:
            @escaping @Sendable (ContainerEngine, @escaping @Sendable () -> Void) async throws(NodeFailure) -> Int32?
    ) async throws(APIFailure) {
        let engine = engine
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, APIFailure>, Never>) in
            let begun = Mutex(false)
            let answer: @Sendable (Result<Void, APIFailure>) -> Void = { result in
                let isFirst = begun.withLock { begun in
                    defer { begun = true }
                    return !begun
                }
                if isFirst { continuation.resume(returning: result) }
            }
            let work = Task {
                do throws(NodeFailure) {
                    let status = try await body(engine) { answer(.success(())) }
                    self.end(.success(status ?? 137))
                } catch {
                    answer(.failure(APIFailure(error)))
                    self.end(.failure(APIFailure(error)))
                }
            }
            task.withLock { $0 = work }
        }
        try result.get()
    }

    private func makePipes(_ options: PodStreamOptions) throws(SystemError) -> [SharedFD] {
        var given: [SharedFD] = []
        if options.stdin {
            var pipe = try Files.pipe()
            given.append(SharedFD(pipe.takeReader()))
            let writer = SharedFD(pipe.takeWriter())
            try Files.setNonBlocking(writer.raw)
            state.withLock { $0.input = writer }
        } else {
            given.append(SharedFD(try Files.open("/dev/null", 0)))
        }
        for (wanted, isErrors) in [(options.stdout, false), (options.stderr, true)] {
            guard wanted else {
                given.append(SharedFD(try Files.open("/dev/null", 1)))
                continue
            }
            var pipe = try Files.pipe()
            let reader = SharedFD(pipe.takeReader())
            try Files.setNonBlocking(reader.raw)
            given.append(SharedFD(pipe.takeWriter()))
            state.withLock { if isErrors { $0.errors = reader } else { $0.output = reader } }
        }
        return given
    }

    private func take(terminal: SharedFD, _ options: PodStreamOptions) {
        try? Files.setNonBlocking(terminal.raw)
        state.withLock { state in
            state.output = terminal
            if options.stdin { state.input = terminal }
        }
    }

    /// Of an attached program: its output, and where it was asked for its input.
    private func take(attached answer: AttachStarted, _ descriptors: [SharedFD], _ options: PodStreamOptions)
        throws(SystemError)
    {
        for fd in descriptors { try Files.setNonBlocking(fd.raw) }
        state.withLock { state in
            state.hasTerminal = answer.hasTerminal
            if answer.hasTerminal {
                state.output = descriptors.first
                if options.stdin { state.input = descriptors.count > 1 ? descriptors[1] : nil }
            } else {
                state.output = options.stdout ? descriptors.first : nil
                state.errors = options.stderr && descriptors.count > 1 ? descriptors[1] : nil
                if answer.hasInput, options.stdin { state.input = descriptors.last }
            }
        }
    }

    // Ending.

    private func end(_ result: Result<Int32, APIFailure>) {
        let waiters = state.withLock { state in
            state.end = result
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: result) }
    }

    func end() async throws(APIFailure) -> Int32 {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Int32, APIFailure>, Never>) in
            let known = state.withLock { state in
                if state.end == nil { state.waiters.append(continuation) }
                return state.end
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
    }

    func resize(columns: UInt16, rows: UInt16) async {
        let (terminal, isAttached) = state.withLock { ($0.hasTerminal ? $0.output : nil, $0.isAttached) }
        guard let terminal else { return }
        let size = Terminal.Size(rows: rows, columns: columns)
        if isAttached {
            try? await engine.resize(ResizeContainer(container: container, size: size))
        } else {
            try? Terminal.setSize(size, of: terminal.raw)
        }
    }

    func closeInput() { state.withLock { $0.input = nil } }

    func abandon() {
        let execution = state.withLock { state -> String? in
            (state.input, state.output, state.errors) = (nil, nil, nil)
            return state.end == nil && state.hasTerminal ? state.execution : nil
        }
        // Closing the last descriptor of a terminal hangs it up; a program without one reads the end of its input.
        if state.withLock({ $0.isAttached }) { task.withLock { $0 }?.cancel() }
        guard let execution else { return }
        let (engine, container) = (engine, container)
        Task {
            try? await engine.kill(KillContainer(container: container, signal: Signal.hangUp, execution: execution))
        }
    }
}
