import Linux
package import OCI

/// What can be limited, and which controller does it.
package enum Controller: String, CaseIterable, Hashable, Sendable {
    case memory
    case cpu
    case cpuset
    case tasks
    case blockIO = "block devices"
    case hugePages = "huge pages"
    case rdma
    case networkClass = "the network class"
    case networkPriority = "network priorities"

    /// The kernel's name on v1.
    package var legacyName: String? {
        switch self {
        case .memory: "memory"
        case .cpu: "cpu"
        case .cpuset: "cpuset"
        case .tasks: "pids"
        case .blockIO: "blkio"
        case .hugePages: "hugetlb"
        case .rdma: "rdma"
        case .networkClass: "net_cls"
        case .networkPriority: "net_prio"
        }
    }

    /// The kernel's name on v2, which has none for networks.
    package var unifiedName: String? {
        switch self {
        case .blockIO: "io"
        case .networkClass, .networkPriority: nil
        default: legacyName
        }
    }

    /// Those that `resources` needs, in the order in which they are set.
    package static func wanted(by resources: Resources) -> [Controller] {
        let cpuset = CPUResources(cpus: resources.cpu.cpus, mems: resources.cpu.mems)
        var cpu = resources.cpu
        cpu.cpus = nil
        cpu.mems = nil
        return allCases.filter { controller in
            switch controller {
            case .memory: resources.memory != MemoryResources()
            case .cpu: cpu != CPUResources()
            case .cpuset: cpuset != CPUResources()
            case .tasks: resources.tasks != nil
            case .blockIO: resources.blockIO != BlockIOResources()
            case .hugePages: !resources.hugePages.isEmpty
            case .rdma: !resources.rdma.isEmpty
            case .networkClass: resources.network.classID != nil
            case .networkPriority: !resources.network.priorities.isEmpty
            }
        }
    }
}

extension CPUResources {
    fileprivate init(cpus: String?, mems: String?) {
        self.init()
        self.cpus = cpus
        self.mems = mems
    }
}

/// A text for a control file.
struct ControlWrite: Hashable, Sendable {
    /// The file's name; of several the first that is there.
    var files: [String]
    var text: String
    /// Not there is fine: the kernel does it anyway, or does something stricter.
    var mayLack = false

    init(_ file: String, _ text: String, mayLack: Bool = false) {
        files = [file]
        self.text = text
        self.mayLack = mayLack
    }

    init(_ file: String, _ number: some BinaryInteger, mayLack: Bool = false) {
        self.init(file, String(number), mayLack: mayLack)
    }

    init(anyOf files: [String], _ text: String) {
        self.files = files
        self.text = text
    }

    /// What has to be written for a controller.
    ///
    /// - Parameter current: The text of a control file as it is now; nil when it is not there or nothing is known yet.
    /// - Throws: `SystemError` for what the hierarchy has no file for.
    static func all(
        for controller: Controller, _ resources: Resources, isUnified: Bool, current: @escaping (String) -> String?
    ) throws(SystemError) -> [ControlWrite] {
        isUnified
            ? try UnifiedWrites(resources, current: current).all(for: controller)
            : try LegacyWrites(resources).all(for: controller)
    }

    /// Writes all. Some limits are bounds for each other, so that the kernel refuses (EINVAL) one of them before
    /// another has been moved: such a one is tried again after the rest, as long as that gets further.
    static func settle(_ writes: [ControlWrite], in directory: String) throws(SystemError) {
        var left = writes
        while !left.isEmpty {
            var refused: [ControlWrite] = []
            var refusal: SystemError?
            for write in left {
                do {
                    try write.write(in: directory)
                } catch where error.code == .invalid {
                    refused.append(write)
                    refusal = refusal ?? error
                } catch where error.code == .busy {
                    throw SystemError(
                        error.operation, error.subject, code: .busy,
                        advice: "It uses more than that and the kernel could not take it back.")
                }
            }
            if let refusal, refused.count == left.count { throw refusal }
            left = refused
        }
    }

    private func write(in directory: String) throws(SystemError) {
        for file in files {
            do {
                return try Files.writeText(text, to: directory + "/" + file)
            } catch where error.code == .noEntry {
                continue
            }
        }
        if mayLack { return }
        throw SystemError(
            "write \"\(text)\" to", directory + "/" + files.joined(separator: " or "), code: .notSupported,
            advice: "This kernel has no such control.")
    }
}

/// Refusing what a hierarchy cannot do.
func refuseLimit(_ field: String, _ why: String) -> SystemError {
    SystemError("set linux.resources.\(field)", code: .notSupported, advice: why)
}
