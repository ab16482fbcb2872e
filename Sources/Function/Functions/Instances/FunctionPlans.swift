package import Lambda
package import Linux
package import Sandbox
internal import Synchronization

/// The sandbox of a function's instances: the machine's /usr and /etc read-only, the code at /var/task, layers at /opt,
/// a /tmp of its own, no capabilities, a system-call filter, and limits from the memory size.
///
/// What /tmp holds counts as memory of the instance: it lives there, and the kernel has no other account for it.
package struct FunctionPlans: Sendable {
    package let ground: InstanceGround
    private let filter: [UInt8]
    private let layers: StackedLayers
    private let empty: String

    /// - Throws: `SystemError` when the directories of the state cannot be made.
    package init(_ ground: InstanceGround) throws(SystemError) {
        self.ground = ground
        do { filter = try SeccompProfile.standard(capabilities: []).compile().bytes } catch {
            // Our own profile, tested for every capability: it compiles.
            preconditionFailure("the standard system-call filter does not compile: \(error)")
        }
        layers = StackedLayers(ground.layerStacks)
        empty = ground.state + "/.empty"
        try Files.makeDirectories(empty)
        try layers.clear()
    }

    /// The plan of a function whose root is the machine's own.
    ///
    /// - Throws: `InstanceStartFailure` that names the directory that is missing.
    package func onMachine(_ function: DeployedFunction) async throws(InstanceStartFailure) -> SandboxPlan {
        var plan = SandboxPlan()
        plan.hostname = "forkless"
        plan.maskedPaths += KernelPaths.machineSecrets
        guard let code = function.codeDirectory, Files.exists(code) else {
            throw .invalidEntrypoint("the code of \(function.name) is not at \(function.codeDirectory ?? "any place")")
        }
        plan.mounts = [
            Mount(.bind(code), at: FunctionEnvironment.taskRoot, readOnly: true),
            Mount(.bind(try await opt(function)), at: "/opt", readOnly: true),
        ]
        plan.temporaryBytes = function.ephemeralMB << 20
        try complete(&plan, function)
        return plan
    }

    /// What plans of all roots have in common.
    package func complete(_ plan: inout SandboxPlan, _ function: DeployedFunction) throws(InstanceStartFailure) {
        for system in function.fileSystems {
            guard Files.exists(system.source) else {
                throw InstanceStartFailure(
                    errorType: "Sandbox.Failure", isPermanent: true,
                    "the directory \(system.source), which \(function.name) has at \(system.target), is not there: make it")
            }
            plan.mounts.append(Mount(.bind(system.source), at: system.target))
        }
        plan.directory = FunctionEnvironment.taskRoot
        plan.capabilities = []
        plan.noNewPrivileges = true
        plan.systemCallFilter = filter
        plan.limits = limits(of: function, isInitializing: true)
    }

    /// Memory as asked, the processors that go with it, and a bound on processes.
    ///
    /// - Parameter isInitializing: as in the service, initialisation has a whole processor at least.
    package func limits(of function: DeployedFunction, isInitializing: Bool) -> CgroupLimits {
        let share = Self.cpuMillis(memoryMB: function.memoryMB, processors: ground.machine.cpus.count)
        return CgroupLimits(
            memoryBytes: function.memoryMB << 20, pids: Self.processLimit, cpuMillis: isInitializing ? max(share, 1000) : share)
    }

    /// Processes and threads of an instance, as in the service.
    package static let processLimit = 1024

    /// Thousandths of a processor: 1,769 MB are one, and no more than the machine has.
    package static func cpuMillis(memoryMB: Int, processors: Int) -> Int {
        let share = memoryMB * 1000 / 1769
        return min(max(share, CgroupLimits.cpuMillisLeast), processors * 1000)
    }

    /// The directory that instances see at /opt.
    package func opt(_ function: DeployedFunction) async throws(InstanceStartFailure) -> String {
        switch function.layerDirectories.count {
        case 0: return empty
        case 1: return function.layerDirectories[0]
        default:
            do { return try await layers.directory(for: function.layerDirectories) } catch {
                throw InstanceStartFailure(
                    errorType: "Sandbox.Failure", errorMessage: "put the layers of \(function.name) together: \(error)")
            }
        }
    }

    /// The files of a function's external extensions.
    package func extensions(in opt: String) async throws(InstanceStartFailure) -> [String] {
        let directory = opt + "/extensions"
        let names: [String]
        do {
            names = try await BlockingPool.shared.run { () throws(SystemError) -> [String] in
                guard Files.exists(directory) else { return [] }
                return try Files.list(directory).filter { Files.isExecutableFile("\(directory)/\($0)") }.sorted()
            }
        } catch {
            throw InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "look for extensions: \(error)")
        }
        guard names.count <= RuntimeSession.extensionLimit else {
            throw InstanceStartFailure(
                errorType: "Extension.LaunchError", isPermanent: true,
                "there are \(names.count) extensions in /opt/extensions: at most \(RuntimeSession.extensionLimit) are started")
        }
        return names
    }
}

extension InstanceStartFailure {
    init(errorType: String, isPermanent: Bool, _ message: String) {
        self.init(errorType: errorType, errorMessage: message, isPermanent: isPermanent)
    }
}
