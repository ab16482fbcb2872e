internal import Crypto
internal import Engine
internal import Images
package import Lambda
package import Linux
internal import OCI
internal import Sandbox
internal import Spawn

/// `PackageType: Image`: the entry point of an image of this node, over its layers, read-only, with a /tmp of its own.
///
/// As in the service, what `ImageConfig` says takes the place of the image's entry point, command and directory one by one,
/// and the image's user is not looked at: functions run as their own.
package struct ImagePlanning: RuntimePlanning {
    private let plans: FunctionPlans
    private let planner: LaunchPlanner

    /// - Throws: `SystemError` when the machine cannot be looked at.
    package init(_ plans: FunctionPlans) throws(SystemError) {
        self.plans = plans
        planner = LaunchPlanner(machine: try .ofThisMachine())
    }

    package func plan(_ function: DeployedFunction) async throws(InstanceStartFailure) -> InstanceRecipe {
        guard case .image(let id, let entryPoint, let command, let directory) = function.runtime else {
            preconditionFailure("a function that is no image")
        }
        let (image, lease) = try await unpacked(id, function.name)
        let defaults = image.config.defaults
        let words = (entryPoint ?? defaults.entrypoint ?? []) + (command ?? defaults.cmd ?? [])
        guard let word = words.first, !word.isEmpty else {
            throw .invalidEntrypoint("the image of \(function.name) has neither ENTRYPOINT nor CMD, and ImageConfig names none")
        }
        let variables = defaults.environment.map { "\($0.name)=\($0.value)" }
        let directoryInside = directory ?? (defaults.workingDirectory.isEmpty ? "/" : defaults.workingDirectory)
        let path = try await program(word, image, variables, directoryInside)
        var plan = SandboxPlan()
        plan.hostname = "forkless"
        plan.root = .overlay(lower: image.layers + [try base(for: function)], upper: .readOnly)
        plan.temporaryBytes = function.ephemeralMB << 20
        try plans.complete(&plan, function)
        plan.directory = directoryInside
        let environment = FunctionEnvironment.common(of: function, region: plans.ground.region, image: variables)
        var recipe = InstanceRecipe(
            plan: plan,
            call: ProgramCall(path: path, arguments: StringBlock(words), environment: environment, directory: directoryInside))
        recipe.share = plans.limits(of: function, isInitializing: false)
        recipe.extensions = try extensions(image.layers)
        recipe.holds = [lease]
        return recipe
    }

    private func unpacked(
        _ id: String, _ name: String
    ) async throws(InstanceStartFailure) -> (UnpackedImage, ImageLease) {
        guard let store = plans.ground.images else {
            throw InstanceStartFailure(
                errorType: "Runtime.InvalidEntrypoint", isPermanent: true, "this node has no images, and \(name) is one")
        }
        do throws(ImageFailure) {
            let stored = try store.resolve(id)
            let lease = store.lease(for: "function \(name)")
            if !(try store.holdIfFree(stored, by: lease)) {
                try await Blocking.run { () throws(ImageFailure) in try store.hold(stored, by: lease) }
            }
            return (try await store.unpacked(stored), lease)
        } catch {
            throw InstanceStartFailure(
                errorType: "Runtime.InvalidEntrypoint", isPermanent: true, "use the image \(id) of \(name): \(error)")
        }
    }

    /// The file to execute, looked up in the layers as the sandbox will see them.
    private func program(
        _ word: String, _ image: UnpackedImage, _ variables: [String], _ directory: String
    ) async throws(InstanceStartFailure) -> String {
        var spec = ContainerSpec(program: word)
        spec.image = ContainerImage("function", id: image.id)
        spec.environment = variables
        spec.directory = directory
        do {
            return try await planner.findings(for: spec, image: ImageRoot(layers: image.layers, rooms: plans.ground.rooms)).program.path
        } catch { throw .invalidEntrypoint(error.message) }
    }

    /// A layer below all others with the places of the sandbox's own mounts: an image need not have them, and nothing can
    /// be made in a root that is read-only.
    private func base(for function: DeployedFunction) throws(InstanceStartFailure) -> String {
        let targets = ["/proc", "/dev", "/tmp", "/etc", "/var/task"] + function.fileSystems.map(\.target)
        let digest = SHA256.hash(data: Array(targets.joined(separator: "\n").utf8))
        let name = digest.prefix(8).map { String($0, radix: 16) }.joined(separator: "")
        let directory = "\(plans.ground.state)/.bases/\(name)"
        do {
            for target in targets { try Files.makeDirectories(directory + target) }
        } catch {
            throw InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "make the places of mounts: \(error)")
        }
        return directory
    }

    /// Names in /opt/extensions, the topmost layer first; a whiteout hides a name of the layers below.
    private func extensions(_ layers: [String]) throws(InstanceStartFailure) -> [String] {
        var names: [String: Bool] = [:]
        for layer in layers {
            guard let top = try? Files.place(layer),
                let directory = try? PathResolution.open(
                    "opt/extensions", inRoot: top.raw, flags: 0o200_000, resolve: PathResolution.beneath),
                let found = try? Files.list(directory.raw, name: "opt/extensions")
            else { continue }
            for name in found where names[name] == nil {
                let status = try? Files.status(name, at: directory.raw, followLinks: false)
                names[name] = status?.kind == .regular && (status?.permissions ?? 0) & 0o111 != 0
            }
        }
        let runnable = names.filter(\.value).keys.sorted()
        guard runnable.count <= RuntimeSession.extensionLimit else {
            throw InstanceStartFailure(
                errorType: "Extension.LaunchError", isPermanent: true,
                "there are \(runnable.count) extensions in /opt/extensions: at most \(RuntimeSession.extensionLimit) are started")
        }
        return runnable
    }
}
