import Linux
import Networking
import Sandbox

/// What `doctor` found on this machine: gathered by `DoctorFacts.gather`, judged by `DoctorReport`.
struct DoctorFacts: Sendable {
    /// The release of the kernel, "6.18.44".
    var kernelRelease: String
    var processors: Int
    var memoryBytes: Int
    var isRoot: Bool
    var calls: [KernelCall: KernelCall.Presence]
    /// nil with a reason when the hierarchies could not be read.
    var cgroups: Result<CgroupFacts, SystemError>
    /// Each kind, tried in a child.
    var namespaces: [NamespaceFact]
    /// The file systems that the kernel knows now, /proc/filesystems.
    var fileSystems: Set<String>
    var capabilities: Capabilities
    /// Soft and hard limit on open files; nil is unlimited.
    var openFiles: SoftAndHard
    /// The same on processes of this user.
    var processes: SoftAndHard
    /// The largest pid, proc_sys_kernel(5).
    var largestPid: Int?
    /// The keeper's executable, and where it was looked for.
    var keeper: String?
    var keeperPlaces: [String]
    var directories: [DirectoryFact]
    /// The version of the node that answers, or why none does.
    var node: Result<String, Unanswered>

    /// What networks of the node need, tried.
    var networks = NetworkTrial.Findings()

    struct CgroupFacts: Hashable, Sendable {
        var layout: CgroupLayout
        /// The mounted hierarchies in which this process may make groups.
        var writable: Set<String>
    }

    struct NamespaceFact: Hashable, Sendable {
        var name: String
        /// nil: it could be made.
        var refusal: Errno?
    }

    struct SoftAndHard: Hashable, Sendable {
        var soft: UInt64?
        var hard: UInt64?
    }

    struct DirectoryFact: Hashable, Sendable {
        enum State: Hashable, Sendable {
            case writable
            /// Not there; the node makes it.
            case absent
            /// Not writable, or what stands in the way.
            case blocked(String)
        }

        /// "state", "run".
        var purpose: String
        var path: String
        var state: State
    }

    struct Unanswered: Error, Hashable, Sendable { var reason: String }
}
