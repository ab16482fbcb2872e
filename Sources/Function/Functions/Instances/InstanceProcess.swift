internal import Engine
internal import HTTPServing
internal import Keeper
internal import Linux
internal import Metering
internal import Sandbox
internal import Spawn
internal import Synchronization

/// The programs of one instance, as the keeper runs them: the sandbox with the runtime as its first process, and external
/// extensions that are executed in it right after.
///
/// The service starts extensions first. Here the runtime's initialisation runs beside theirs, and is over when all of them
/// wait for their first event, too; with the runtime's process everything in the sandbox ends.
final class InstanceProcess: Sendable {
    let name: String
    let extensions: [String]
    let output: InstanceOutput
    let extensionOutput: InstanceOutput?
    private let sandboxes: FunctionSandboxes
    private let recipe: InstanceRecipe
    /// Has a place for it; nil: it is a sandbox of its own, started by the keeper.
    private let starter: Mutex<(any InstanceStarting)?>
    private let environment: StringBlock
    private let descriptors: InstanceDescriptors
    private let onEnd: @Sendable (Program, ProgramEnd) -> Void
    private let onFailure: @Sendable (InstanceStartFailure) -> Void

    enum Program: Sendable {
        case sandbox
        case `extension`(String)
    }

    /// - Parameters:
    ///   - onEnd: called for each program once, on any thread.
    ///   - onFailure: a program that is started inside a running sandbox could not be started.
    init(
        _ name: String, _ recipe: InstanceRecipe, environment: StringBlock, _ sandboxes: FunctionSandboxes,
        _ logs: LogThread, log: FunctionLog, starter: (any InstanceStarting)?, onEnd: @escaping @Sendable (Program, ProgramEnd) -> Void,
        onFailure: @escaping @Sendable (InstanceStartFailure) -> Void
    ) throws(SystemError) {
        self.name = name
        self.recipe = recipe
        self.environment = environment
        self.sandboxes = sandboxes
        extensions = recipe.extensions
        self.starter = Mutex(starter)
        self.onEnd = onEnd
        self.onFailure = onFailure
        descriptors = try InstanceDescriptors(hasExtensions: !recipe.extensions.isEmpty)
        output = InstanceOutput(descriptors.reader, log: log)
        extensionOutput = descriptors.extensionReader.map { InstanceOutput($0, log: log) }
        try logs.add(output)
        if let extensionOutput { try logs.add(extensionOutput) }
    }

    var start: MeteredCall.Start { place == nil ? .cold : .zygote }

    private var place: (any InstanceStarting)? { starter.withLock { $0 } }

    private var call: ProgramCall {
        var call = recipe.call
        call.environment = call.environment + environment
        return call
    }

    /// Starts the sandbox.
    func run(in network: SharedFD) async throws(InstanceStartFailure) -> StartedSandbox {
        var plan = recipe.plan
        plan.network = .given
        guard let writers = descriptors.writers else { preconditionFailure("an instance is started once") }
        if let place, let started = await run(in: place, writers) { return started }
        let onEnd = onEnd
        do {
            let started = try await sandboxes.start(
                SandboxStart(plan: plan, name: name, call: call, streams: .passed, network: network),
                descriptors: writers.runtime
            ) { onEnd(.sandbox, $0) }
            withExtendedLifetime(writers) {}
            startExtensions()
            descriptors.closeWriters()
            return started
        } catch { throw InstanceStartFailure(error, executing: recipe.call.path) }
    }

    /// nil: what waited in the place has ended, with its zygote for instance. Then the instance is started as if there had
    /// been none, in the network that it was given.
    private func run(in place: any InstanceStarting, _ writers: InstanceDescriptors.Writers) async -> StartedSandbox? {
        let onEnd = onEnd
        do {
            let started = try await place.start(name, environment: call.environment, descriptors: writers.runtime) {
                onEnd(.sandbox, $0)
            }
            descriptors.closeWriters()
            return started
        } catch {
            starter.withLock { $0 = nil }
            await place.kill(name)
            return nil
        }
    }

    /// All at once, as the service does.
    private func startExtensions() {
        for (index, file) in extensions.enumerated() {
            var call = self.call
            call.path = "/opt/extensions/\(file)"
            call.arguments = [call.path]
            execute(call, "\(name)-x\(index + 1)", .extension(file), { $0.forExtensions }, "Extension.LaunchError")
        }
    }

    private func execute(
        _ call: ProgramCall, _ name: String, _ program: Program,
        _ streams: @escaping @Sendable (InstanceDescriptors.Writers) -> [CInt], _ errorType: String
    ) {
        guard let writers = descriptors.writers else { return }
        let request = ExecuteRequest(sandbox: self.name, name: name, call: call)
        Task { [onEnd, onFailure, sandboxes] in
            do throws(NodeFailure) {
                _ = try await sandboxes.execute(request, descriptors: streams(writers)) { onEnd(program, $0) }
            } catch { onFailure(InstanceStartFailure(errorType: errorType, errorMessage: error.message)) }
            withExtendedLifetime(writers) {}
        }
    }

    /// Kills everything in the sandbox.
    func kill() {
        let (sandboxes, place, name) = (sandboxes, place, name)
        Task {
            if let place { await place.kill(name) } else { await sandboxes.kill(name) }
        }
    }

    /// Initialisation is over: from now on it has the processors that go with its memory.
    func limitToShare() {
        // A fork of a zygote begins with its share.
        guard place == nil, let share = recipe.share, share != recipe.plan.limits else { return }
        let (sandboxes, name) = (sandboxes, name)
        Task { try? await sandboxes.keeper.perform(.limit(sandbox: name, share)) }
    }

    /// Asks the runtime to end, where it has time for it.
    func terminateRuntime() {
        let (sandboxes, place, name) = (sandboxes, place, name)
        Task {
            if let place { return await place.terminate(name) }
            try? await sandboxes.keeper.perform(.signal(sandbox: name, number: Signal.terminate, wholeTree: false))
        }
    }
}

/// The descriptors that an instance's programs get. The node's copies of the writing ends go when nobody needs them.
private final class InstanceDescriptors: Sendable {
    struct Writers: Sendable {
        var null: SharedFD
        var output: SharedFD
        var extensions: SharedFD?

        /// What the runtime gets as its standard streams.
        var runtime: [CInt] { [null.raw, output.raw, output.raw] }
        var forExtensions: [CInt] { [null.raw, (extensions ?? output).raw, (extensions ?? output).raw] }
    }

    let reader: SharedFD
    let extensionReader: SharedFD?
    private let held: Mutex<Writers?>

    init(hasExtensions: Bool) throws(SystemError) {
        let null = SharedFD(try Files.open("/dev/null", 2))
        let output = try Self.pipe()
        let extensions = hasExtensions ? try Self.pipe() : nil
        reader = output.reader
        extensionReader = extensions?.reader
        held = Mutex(Writers(null: null, output: output.writer, extensions: extensions?.writer))
    }

    private static func pipe() throws(SystemError) -> (reader: SharedFD, writer: SharedFD) {
        let ends = try Files.pipe().ends()
        // Only our end: the program's writes are to wait, as with any pipe.
        try Files.setNonBlocking(ends.reader.raw)
        return ends
    }

    /// nil once they are closed.
    var writers: Writers? { held.withLock { $0 } }

    func closeWriters() { held.withLock { $0 = nil } }
}

extension InstanceStartFailure {
    /// A start that the node or the keeper refused.
    init(_ failure: NodeFailure, executing path: String) {
        switch failure.kind {
        case .notFound, .notExecutable:
            self.init(errorType: "Runtime.InvalidEntrypoint", errorMessage: failure.message, isPermanent: true)
        default:
            self.init(
                errorType: "Sandbox.Failure", errorMessage: failure.message, isPermanent: failure.kind == .badRequest)
        }
    }
}
