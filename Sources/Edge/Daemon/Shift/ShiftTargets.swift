import Catalog
import Engine
import ExecDoor
import Functions
import HTTPServing
import Images
import Lambda
import Linux
import Sandbox
import Traces

/// Makes what runs shifted calls on this node.
struct ShiftTargets: Sendable {
    /// What a copy that waits may cost, for the bound on how many there may be.
    private static let bytesPerCopy = 64 << 20

    let sandboxes: CallSandboxes
    let shelf: StandbyShelf
    private let layers: ShadowLayers
    private let images: ImageStore
    private let link: KeeperLink
    private let rung: FunctionRung

    init(_ node: NodeSurroundings, _ rung: FunctionRung) {
        sandboxes = CallSandboxes(node.link)
        shelf = StandbyShelf(node.link)
        layers = ShadowLayers(run: node.settings.run, link: node.link)
        images = node.images
        link = node.link
        self.rung = rung
    }

    func make(
        _ target: ShiftTarget, _ spec: ShiftSpec, _ program: ProgramFile, _ original: String
    ) async throws(ShiftProblem) -> any CallTarget {
        if target != ShiftTarget(.container), !spec.outputFiles.isEmpty {
            throw ShiftProblem(
                .unsupported,
                "compare the files that \(program.path) writes (\(spec.outputFiles.joined(separator: ", "))): what a target writes beside "
                    + "the original can be seen of a container of the machine's own files alone (--to container), not of \(target)")
        }
        if case .elf(bits: 32) = program.kind, target.rung == .container || target.rung == .standby {
            throw ShiftProblem(
                .unsupported,
                "shift \(program.path) to a \(target.rung.rawValue): it is a 32-bit program, and the system-call filter of containers knows "
                    + "64-bit calls only. It can be measured (--mode measure), or answered by a function or a service.")
        }
        switch (target.rung, target.argument) {
        case (.container, nil): return await sandbox(try Self.machine(), spec, program, original)
        case (.container, let image?): return await sandbox(try await ground(image), spec, program, original)
        case (.standby, _):
            let ground = await sandbox(try Self.machine(), spec, program, original)
            return StandbyTarget(shelf, ground: ground, pool: try Self.pool())
        case (.function, let name): return PayloadTarget(try function(name ?? "", spec.payload))
        case (.service, let url):
            return PayloadTarget(try ServiceAnswerer(url ?? "", spec.payload, on: rung.loops.loops[0]))
        }
    }

    /// Runs the original a second time, as the caller's child would.
    func control(_ program: ProgramFile, _ original: String) async throws(ShiftProblem) -> any CallTarget {
        SandboxTarget(
            .process, program: await executable(program, original), name: program.path, sandboxes: sandboxes,
            layers: layers)
    }

    private func sandbox(
        _ ground: SandboxTarget.Ground, _ spec: ShiftSpec, _ program: ProgramFile, _ original: String
    ) async -> SandboxTarget {
        SandboxTarget(
            ground, program: await executable(program, original), name: program.path, sandboxes: sandboxes,
            dropsDescriptors: spec.dropsDescriptors, layers: layers)
    }

    /// Where sandboxes find the original. The keeper has a mount namespace of its own, as it was when the keeper was started:
    /// of a shim that was mounted later it knows nothing, and the program's own path is the original's there.
    private func executable(_ program: ProgramFile, _ original: String) async -> String {
        guard let pid = try? await link.status()?.pid else { return original }
        return Files.exists("/proc/\(pid)/root\(original)") ? original : program.path
    }

    private static func machine() throws(ShiftProblem) -> SandboxTarget.Ground {
        let capabilities = try capabilities()
        return .machine(capabilities: capabilities, filter: filter(capabilities))
    }

    private static func capabilities() throws(ShiftProblem) -> Capabilities {
        do { return Capabilities.dockerDefault.intersection(try Capabilities.permitted()) } catch {
            throw ShiftProblem(.system, "look at this node's capabilities: \(error)")
        }
    }

    /// Compiled once for each target, not for each call.
    private static func filter(_ capabilities: Capabilities) -> [UInt8] {
        do { return try SeccompProfile.standard(capabilities: capabilities).compile().bytes } catch {
            preconditionFailure("the standard profile compiles: \(error)")
        }
    }

    private func ground(_ image: String) async throws(ShiftProblem) -> SandboxTarget.Ground {
        do {
            let store = images
            let (stored, lease) = try await Blocking.run { () throws(ImageFailure) in
                let stored = try store.resolve(image)
                let lease = store.lease(for: "shifts")
                try store.hold(stored, by: lease)
                return (stored, HeldLease(lease))
            }
            let unpacked = try await store.unpacked(stored)
            let capabilities = try Self.capabilities()
            return .image(
                layers: unpacked.layers, capabilities: capabilities, filter: Self.filter(capabilities), holds: lease)
        } catch let problem as ShiftProblem {
            throw problem
        } catch {
            throw ShiftProblem(
                .unsupported,
                "shift to the image \(image): \(error). Images are those of this node: build, load or pull it.")
        }
    }

    private static func pool() throws(ShiftProblem) -> PoolConfiguration {
        do {
            let machine = try MachineCapacity.ofThisMachine()
            let most = PoolConfiguration.suggestedMaximum(
                processors: machine.cpus.count, memoryBytes: machine.memoryBytes, bytesPerCopy: bytesPerCopy)
            return PoolConfiguration(minimum: min(2, most), maximum: most)
        } catch { throw ShiftProblem(.system, "look at this machine: \(error)") }
    }

    private func function(_ name: String, _ form: PayloadForm) throws(ShiftProblem) -> FunctionAnswerer {
        let catalog = rung.catalog
        do { _ = try catalog.resolve(name, chance: 0) } catch {
            throw ShiftProblem(.notFound, "shift to the function \(name): \(error.message)")
        }
        return FunctionAnswerer(rung.invoker, form) { head, payload, context throws(LambdaFailure) in
            let resolved = try catalog.resolve(name, chance: .random(in: .min ... .max))
            var chance = SystemRandomNumberGenerator()
            var call = FunctionCall(
                requestID: head.requestID, function: resolved.function, invokedARN: resolved.invokedARN,
                payload: payload,
                source: "exec", trace: head.trace.child(&chance).amazon, arrivedAt: Clock.now())
            call.clientContext = context
            return call
        }
    }
}

/// An image that stays in the store as long as somebody refers to this.
private final class HeldLease: Sendable {
    private let lease: ImageLease

    init(_ lease: ImageLease) { self.lease = lease }

    deinit { lease.end() }
}
