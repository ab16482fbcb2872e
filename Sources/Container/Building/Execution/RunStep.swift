internal import Engine
internal import Glibc
internal import Images
internal import Keeper
internal import Linux
internal import Networking
internal import Sandbox
internal import Spawn
internal import Synchronization

/// One RUN: a program in a sandbox whose root is the stage, which writes into a work directory.
struct RunStep: Sendable {
    let action: RunAction
    let network: BuildImage.Network
    let kit: BuildKit

    /// Where a script of the Dockerfile is seen: in /dev, which is no part of the layer.
    private static let scriptPath = "/dev/forkless-script"

    /// Runs the program to its end.
    ///
    /// - Throws: `BuildFailure` that tells its status when that is not 0.
    func run(
        on root: StageRoot, in work: WorkDirectory, _ take: @escaping @Sendable (String) async -> Void
    ) async throws(BuildFailure) {
        let base = kit.place.base
        let stubs = try await BuildThread.run { _ throws(BuildFailure) in
            try makeDirectory(root, work)
            let tree = try root.readOnly(below: [base])
            return try building { () throws(SystemError) in try MountStubs(Self.mountPoints, in: tree.raw) }
        }
        let id = "build-" + BuildPath.name(work.path)
        var spec = spec(root, work)
        do throws(BuildFailure) {
            let network = try await prepareNetwork(id, &spec, work)
            let end = try await start(spec, network, take)
            await kit.networks.release(id, reusable: false)
            try check(end)
        } catch {
            await kit.networks.release(id, reusable: false)
            throw error
        }
        try building { () throws(SystemError) in try stubs.remove(from: work.upper.raw) }
    }

    private static let mountPoints = ["/proc", "/dev", "/sys"] + BuildPlace.boundFiles.map { "/etc/" + $0 }

    /// The directory that the program starts in is made as it is for containers.
    private func makeDirectory(_ root: StageRoot, _ work: WorkDirectory) throws(BuildFailure) {
        let tree = try root.readOnly()
        let there = try building { () throws(SystemError) in try RootedPath(action.directory, in: tree.raw) }
        guard there.status == nil else { return }
        let target = CopyTarget(root: try root.writable(work), latest: nil)
        _ = try target.directory(action.directory, owner: (0, 0))
    }

    private func spec(_ root: StageRoot, _ work: WorkDirectory) -> ContainerSpec {
        var words = action.words
        if action.script != nil { words = [Self.scriptPath] }
        var spec = ContainerSpec(program: words.first ?? "", arguments: Array(words.dropFirst()))
        spec.root = .overlay(lower: root.layers + [kit.place.base], upper: work.upperPath, work: work.workPath)
        spec.environment = action.proxies + action.environment.filter { $0.contains("=") && !$0.hasPrefix("=") }
        spec.directory = action.directory
        spec.user = action.user.isEmpty ? nil : action.user
        spec.addedCapabilities = kit.capabilities.memberNames
        spec.noNewPrivileges = false
        spec.network = network == .host ? .host : .isolated
        spec.mounts = BuildPlace.boundFiles.map { name in
            .bind(source: "\(work.path)/\(name)", target: "/etc/" + name, isReadOnly: false)
        }
        if action.script != nil {
            spec.mounts.append(.bind(source: work.path + "/script", target: Self.scriptPath, isReadOnly: true))
        }
        return spec
    }

    // The network.

    /// Writes the sandbox's files of /etc, and attaches it to the default network when that is asked for.
    private func prepareNetwork(
        _ id: String, _ spec: inout ContainerSpec, _ work: WorkDirectory
    ) async throws(BuildFailure) -> PreparedNetwork {
        var wish = spec
        if network == .standard { wish.network = .joined([NetworkAttachment.Joining(network: NetworkDefinition.defaultName)]) }
        let prepared: PreparedNetwork
        do throws(NodeFailure) {
            prepared = try await kit.networks.prepare(
                id: id, name: id, spec: wish, hostname: ContainerSpec.defaultHostname)
        } catch { throw BuildFailure(error) }
        let files = [
            ("hosts", prepared.hosts, 0o644), ("resolv.conf", prepared.resolvConf, 0o644),
            ("hostname", prepared.hostname + "\n", 0o644), ("script", action.script ?? "", UInt32(0o755)),
        ]
        try await BuildThread.run { _ throws(BuildFailure) in
            try building { () throws(SystemError) in
                for (name, text, mode) in files {
                    let file = try Files.open(
                        "\(work.path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
                    try Files.writeAll(Array(text.utf8), to: file.raw, name: name)
                    try FileEntries.setMode(mode, of: file.raw, name: name)
                }
            }
        }
        return prepared
    }

    // The program.

    private func start(
        _ spec: ContainerSpec, _ network: PreparedNetwork, _ take: @escaping @Sendable (String) async -> Void
    ) async throws(BuildFailure) -> EndReport {
        var launch: PlannedLaunch
        do throws(NodeFailure) { launch = try await kit.planner.plan(spec) } catch { throw BuildFailure(error) }
        launch.plan.network = network.mode
        launch.plan.showsSysfs = true
        let planned = launch
        let null = try building { () throws(SystemError) in try Files.open("/dev/null", O_RDONLY) }
        let (reader, writer) = try building { () throws(SystemError) in
            var pipe = try Files.pipe()
            let reader = SharedFD(pipe.takeReader())
            try Files.setNonBlocking(reader.raw)
            return (reader, PipeWriter(pipe.takeWriter()))
        }
        // Not part of this task: what was written until a cancellation is read, too.
        let reading = Task { await StepOutput.read(reader, take) }
        let result: Result<EndReport, BuildFailure>
        do throws(BuildFailure) {
            result = .success(
                try await kit.sandboxes.run(
                    {
                        SandboxStart(
                            plan: planned.plan, name: $0, call: planned.call, streams: .passed,
                            network: network.namespace)
                    },
                    descriptors: [null.raw, writer.raw, writer.raw],
                    started: { writer.close() }))
        } catch { result = .failure(error) }
        writer.close()
        await reading.value
        return try result.get()
    }

    private func check(_ end: EndReport) throws(BuildFailure) {
        guard end.status != .exited(0) else { return }
        let command = action.script == nil ? action.words.joined(separator: " ") : "the script"
        let memory = end.outOfMemory ? " (it ran out of memory)" : ""
        throw BuildFailure(.badRequest, "RUN \(command): \(end.status)\(memory)")
    }
}

/// Our end of a program's output, closed as soon as the program has it: the end of the pipe is the program's end.
private final class PipeWriter: Sendable {
    let raw: CInt
    private let fd: Mutex<OwnedFD?>

    init(_ fd: consuming OwnedFD) {
        raw = fd.raw
        self.fd = Mutex(fd)
    }

    func close() { fd.withLock { $0 = nil } }
}
