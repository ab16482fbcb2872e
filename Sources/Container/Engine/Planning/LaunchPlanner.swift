import Glibc
package import Linux
package import Sandbox
import Synchronization

/// Plans launches on this machine: looks up what has to be, and decides with `PlanBuilder`.
package final class LaunchPlanner: Sendable {
    private let builder: PlanBuilder

    package init(machine: MachineFacts) {
        let filters = SystemCallFilters()
        builder = PlanBuilder(machine: machine) { filters.filter(for: $0) }
    }

    /// The plan and the call for a spec.
    ///
    /// - Throws: `NodeFailure` that names the flag, the program or the directory that is wrong. Nothing was changed.
    package func plan(
        _ spec: ContainerSpec, image: ImageRoot? = nil, hostname: String? = nil
    ) async throws(NodeFailure) -> PlannedLaunch {
        do { try spec.validate() } catch { throw error.failure }
        let findings = try await LaunchFindings.gatherInBackground(for: spec, image)
        do { return try builder.build(spec, findings, image: image, hostname: hostname) } catch { throw error.failure }
    }

    /// What a program of this spec may use.
    package func limits(of spec: ContainerSpec) throws(NodeFailure) -> CgroupLimits {
        do { return try builder.limits(of: spec) } catch { throw error.failure }
    }

    /// Who and which file another program in a container of this spec is.
    package func findings(
        for spec: ContainerSpec, image: ImageRoot? = nil
    ) async throws(NodeFailure) -> LaunchFindings {
        do { try spec.validate() } catch { throw error.failure }
        return try await LaunchFindings.gatherInBackground(for: spec, image)
    }
}

extension LaunchFindings {
    fileprivate static func gatherInBackground(
        for spec: ContainerSpec, _ image: ImageRoot?
    ) async throws(NodeFailure) -> LaunchFindings {
        let result: Result<LaunchFindings, NodeFailure>
        do {
            result = try await BlockingPool.shared.run { () throws(SystemError) in
                do throws(NodeFailure) { return .success(try gather(for: spec, image: image)) } catch { return .failure(error) }
            }
        } catch { throw NodeFailure(.system, "look up the program: \(error)") }
        return try result.get()
    }
}

extension MachineFacts {
    /// Reads what the kernel says about this machine and this process.
    package static func ofThisMachine() throws(SystemError) -> MachineFacts {
        let layout = try CgroupLayout.ofThisProcess()
        var controllers = layout.unified?.controllers ?? []
        for mount in layout.legacy { controllers.formUnion(mount.controllers) }
        return MachineFacts(
            capacity: try MachineCapacity.ofThisMachine(), capabilities: try Capabilities.permitted(), uid: geteuid(),
            gid: getegid(), controllers: controllers)
    }
}

/// System-call filters by the capabilities they are for, each compiled once.
private final class SystemCallFilters: Sendable {
    private let compiled = Mutex<[Capabilities: [UInt8]]>([:])

    func filter(for capabilities: Capabilities) -> [UInt8] {
        compiled.withLock { compiled in
            if let filter = compiled[capabilities] { return filter }
            do {
                let filter = try SeccompProfile.standard(capabilities: capabilities).compile().bytes
                compiled[capabilities] = filter
                return filter
            } catch {
                // Our own profile, tested for every capability: it compiles.
                preconditionFailure("the standard system-call filter does not compile: \(error)")
            }
        }
    }
}
