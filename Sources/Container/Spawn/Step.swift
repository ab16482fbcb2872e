package import Linux

/// One operation of a child between `clone3` and `exec`: the closed list of what it can do.
///
/// Steps name descriptors by `Slot`, so that one compiled program serves many starts. Each case is one raw
/// system call or a fixed short sequence of them in `CSpawn`; nothing is decided there.
package enum Step: Hashable, Sendable {
    // Descriptors.
    /// Gives the child a descriptor table of its own with those below `lowest` and those in slots, nothing else.
    case unshareFiles(lowest: CInt)
    case duplicate(Slot, to: CInt)
    /// Moves a descriptor out of the way: to the lowest free number at or above `lowest`.
    case moveUp(Slot, lowest: CInt)
    /// Everything from this number up is closed by the exec.
    case closeFrom(CInt)
    case open(String, flags: CInt, mode: UInt32, into: Slot)
    /// openat2(2) below a directory; nil: the working directory.
    case openAt(Slot?, String, flags: CInt, resolve: UInt64, into: Slot)
    case close(Slot)
    /// Writes bytes in one call; the text says to what.
    case write([UInt8], to: Slot, meaning: String)

    // Identity and limits.
    case setSession
    case setProcessGroup(Int32)
    case controllingTerminal(Slot)
    case umask(UInt32)
    case limit(ResourceLimit)
    case priority(Int32)
    /// A CPU mask, least significant byte first.
    case affinity([UInt8])
    /// Every processor that the cpuset has, whatever mask was inherited; where that is refused the mask stays.
    case allProcessors
    case scheduler(policy: Int32, priority: Int32)
    /// The signal to get when the parent dies; `parent` 0: the parent is outside this pid namespace.
    case deathSignal(Int32, parent: Int32)
    /// Descriptors 0 to 2 to a user, but for the null device and what cannot be given away.
    case giveStreams(UInt32)
    case groups([UInt32])
    case gid(UInt32)
    case uid(UInt32)
    case keepCapabilities(Bool)
    case dropBounding(keeping: Capabilities, last: Int)
    case capabilities(effective: Capabilities, permitted: Capabilities, inheritable: Capabilities)
    case ambient(Capabilities)
    case noNewPrivileges
    /// A compiled filter: 8 bytes an instruction (struct sock_filter), and SECCOMP_FILTER_FLAG_* of seccomp(2).
    case seccomp([UInt8], flags: UInt32 = 0)
    /// The same whose listener goes into a slot: for filters that ask somebody (SECCOMP_RET_USER_NOTIF).
    case seccompListening([UInt8], flags: UInt32, into: Slot)
    case dumpable(Bool)
    /// Bit n-1 stands for signal n.
    case signalsToDefault(UInt64, ignored: UInt64 = 0)
    case signalMask(UInt64)
    case newKeyring
    /// personality(2).
    case personality(UInt32)
    /// ioprio_set(2): class in the upper bits, level in the lower 13.
    case ioPriority(Int32)
    /// set_mempolicy(2): the mode with its flags, and a mask of nodes, least significant byte first, in whole words.
    case memoryPolicy(Int32, nodes: [UInt8])
    /// sched_setattr(2): the bytes of a struct sched_attr.
    case scheduling([UInt8])

    // Files and directories.
    /// chdir(2); nil: the directory of this call, if it names one.
    case changeDirectory(String?)
    /// The same below a root of somebody's making: no link of /proc to a descriptor or another root is followed.
    case changeDirectoryInside(String?)
    case changeDirectoryTo(Slot)
    case makeDirectory(Slot?, String, mode: UInt32)
    case symbolicLink(Slot?, String, target: String)
    case makeNode(Slot?, String, mode: UInt32, device: UInt64)

    // Namespaces and mounts.
    /// Joins the namespaces (CLONE_NEW*) behind a descriptor; skipped when the slot is empty and optional.
    case joinNamespaces(Slot, flags: Int32, optional: Bool)
    case unshare(flags: Int32)
    /// sethostname(2); nil: the name of this call, if it brings one.
    case hostname(String?)
    /// setdomainname(2).
    case domainName(String)
    case loopbackUp
    case mount(source: String, target: String, type: String, flags: UInt, options: String)
    case unmount(String, flags: CInt)
    case newFileSystem(String, into: Slot)
    /// An option of a file system being made; nil: a flag without a value.
    case fileSystemOption(Slot, String, String?)
    /// Makes the file system and a detached mount of it; the configuration descriptor is closed.
    case fileSystemMount(Slot, into: Slot, attributes: UInt64)
    /// open_tree(2); nil: from the working directory.
    case openTree(Slot?, String, flags: UInt32, into: Slot)
    /// Attaches a detached mount at a path below a directory slot (nil: the working directory).
    case moveMount(Slot, to: Slot?, String)
    /// mount_setattr(2) with its AT_ flags and propagation type.
    case mountAttributes(Slot?, String, set: UInt64, clear: UInt64, flags: UInt32, propagation: UInt32)
    case pivotRoot(Slot)
    /// chroot(2), for a root that cannot be pivoted to (an initial ramdisk).
    case changeRoot(Slot)
    /// Covers a path, if it is there, with an empty directory or the null device.
    case maskPath(String, directory: Slot, file: Slot)
    case readOnlyPath(String)

    // Control.
    /// Waits on a socket for the word to go on, which fills `count` slots from `first`.
    case park(Slot, first: Slot, count: Int)
    /// Sends a word on a socket, with what a slot holds where one is named.
    case tell(Slot, with: Slot?)
    /// From here on a failure is written to this descriptor, too: index and errno, 32 bits each.
    case reportTo(Slot)
    /// Waits for one byte to be read.
    case awaitWord(Slot)
    /// Whether the program of this call may be executed by who the child is by now, access(2).
    case checkProgram
    /// Waits until the parent has written the identity maps.
    case awaitGo
    /// The exec: of the path of this call, or of a descriptor when the slot holds one.
    case execute(Slot?)
}

/// A place for a descriptor in a step program, filled before the start or by a step.
package struct Slot: Hashable, Sendable {
    package var index: Int
}

/// One limit of setrlimit(2); nil is without limit.
public struct ResourceLimit: Hashable, Sendable {
    public enum Resource: Int32, CaseIterable, Sendable {
        case cpuSeconds = 0
        case fileBytes = 1
        case dataBytes = 2
        case stackBytes = 3
        case coreBytes = 4
        case residentBytes = 5
        case processes = 6
        case openFiles = 7
        case lockedBytes = 8
        case addressSpaceBytes = 9
        case locks = 10
        case pendingSignals = 11
        case messageQueueBytes = 12
        case nice = 13
        case realTimePriority = 14
        case realTimeMicroseconds = 15
    }

    public var resource: Resource
    public var soft: UInt64?
    public var hard: UInt64?

    public init(_ resource: Resource, soft: UInt64?, hard: UInt64?) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}
