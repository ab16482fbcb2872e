import Glibc
package import Linux
package import Sandbox
import Synchronization

/// Plans launches on this machine: looks up what has to be, and decides with `PlanBuilder`.
package final class LaunchPlanner: Sendable {
    private let builder: PlanBuilder
    private let known = KnownFindings()

    package init(machine: MachineFacts) {
        let filters = SystemCallFilters()
        builder = PlanBuilder(machine: machine) { filters.filter(for: $0) }
    }

    /// The plan and the call for a spec.
    ///
    /// - Parameter volumes: the directory of the volumes.
    ///
    /// - Throws: `NodeFailure` that names the flag, the program or the directory that is wrong. Nothing was changed.
    package func plan(
        _ spec: ContainerSpec, image: ImageRoot? = nil, hostname: String? = nil, volumes: String? = nil
    ) async throws(NodeFailure) -> PlannedLaunch {
        do { try spec.validate() } catch { throw error.failure }
        let key = KnownFindings.Key(spec, image)
        let findings: LaunchFindings
        if let key, let before = known[key] {
            findings = before
        } else {
            findings = try await LaunchFindings.gatherInBackground(for: spec, image)
            if let key { known[key] = findings }
        }
        // Looked up with the volumes as such, since links in them are anybody's; mounted as directories.
        let spec = spec.withVolumes { "\(volumes ?? "")/\($0)/\(VolumeStore.dataName)" }
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
            gid: getegid(), controllers: controllers,
            cgroups: Files.exists("/sys/fs/cgroup") ? "/sys/fs/cgroup" : nil)
    }
}

/// What was found in images, whose layers never change: the first start of each container looks at nothing else.
private final class KnownFindings: Sendable {
    /// Everything in a spec and a root that `LaunchFindings.gather` looks at.
    struct Key: Hashable {
        var layers: [String]
        var word: String
        var searchPath: String
        var user: String?
        var directory: String?
        var targets: [String]

        /// nil where something is looked at that may change: the machine's files, or what a container has written.
        init?(_ spec: ContainerSpec, _ image: ImageRoot?) {
            guard let image, image.room == nil, spec.devices.isEmpty, let word = spec.words.first else { return nil }
            for case .bind in spec.mounts { return nil }
            layers = image.layers
            self.word = word
            searchPath = DefaultEnvironment.searchPath(spec.environment)
            user = spec.user
            directory = spec.directory
            // Memory and volumes hide in different ways what the image has.
            targets = spec.mounts.map { mount in
                if case .temporary = mount { "memory:" + mount.target } else { "volume:" + mount.target }
            }
        }
    }

    private let found = Mutex<[Key: LaunchFindings]>([:])
    /// Beyond it all is forgotten: a node that runs so many different programs gains nothing by remembering them.
    private static let limit = 1024

    subscript(key: Key) -> LaunchFindings? {
        get { found.withLock { $0[key] } }
        set {
            found.withLock { found in
                if found.count >= Self.limit { found = [:] }
                found[key] = newValue
            }
        }
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
