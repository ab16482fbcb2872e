import Linux
import OCI
import Spawn

/// Steps that turn a child in its container into the process that the configuration describes: shared by the first
/// process and those that join. Pure but for what it is given.
///
/// Invariants
/// 1. What needs rights comes before they are given up; the filter is last, but for who may still gain privileges, where
///    loading it takes rights. (test: `steps of a process stand in the order that the kernel demands`)
/// 2. Ids change in the order groups, group, user. Inheritable capabilities are what was asked for and no more
///    (CVE-2022-29162). (test: `CVE-2022-29162 ...`)
/// 3. The streams are the user's before the process is, who could not open /dev/stdout otherwise.
///    (test: `the streams are given to a user before the process becomes him`)
struct ProcessSteps {
    let process: ProcessSpec
    /// The compiled filter, its flags, and whether its listener is sent to the parent.
    let filter: Filter?
    /// Descriptors that the program keeps, from 3 on.
    let preserved: Int
    let isKeyringNew: Bool
    /// set_mempolicy(2) of the container.
    var memoryPolicy: Step?
    /// The processors that it may use from here on, as a mask.
    var affinity: [UInt8]?
    /// Whether the processors stay as they are where no mask is given: the configuration has said something about them.
    var keepsProcessors = false
    /// The highest capability that the kernel knows.
    let lastCapability: Int
    /// Whether nobody may change supplementary groups here: then those of the caller stay where none are wanted.
    var areGroupsFixed = false

    struct Filter: Hashable, Sendable {
        var program: [UInt8]
        var flags: UInt32
        var hasListener: Bool
    }

    /// Slots that the steps need.
    struct Slots {
        /// The parent's socket.
        var socket: Slot
        /// A proc file system of the child's pid namespace.
        var proc: Slot?
        /// The program's end of its terminal.
        var terminal: Slot?
    }

    init(
        process: ProcessSpec, filter: Filter?, preserved: Int, isKeyringNew: Bool, lastCapability: Int,
        memoryPolicy: Step? = nil, affinity: [UInt8]? = nil, areGroupsFixed: Bool = false
    ) {
        self.process = process
        self.filter = filter
        self.preserved = preserved
        self.isKeyringNew = isKeyringNew
        self.lastCapability = lastCapability
        self.memoryPolicy = memoryPolicy
        self.affinity = affinity
        self.areGroupsFixed = areGroupsFixed
    }

    /// Whatever the program is to find in place when it begins, up to the filter.
    func add(to program: inout StepProgram, _ slots: Slots) {
        takeStreams(&program, slots)
        if isKeyringNew { program.add(.newKeyring) }
        label(&program, slots)
        constrain(&program)
        enterDirectory(&program)
        if let filter, !process.noNewPrivileges { load(filter, &program, slots) }
        limitDescriptors(&program)
        becomeUser(&program)
        if process.noNewPrivileges { program.add(.noNewPrivileges) }
        program.add(.checkProgram)
        program.add(.closeFrom(3 + CInt(preserved)))
        program.add(.signalsToDefault(Self.allSignals))
        program.add(.signalMask(0))
        if let filter, process.noNewPrivileges { load(filter, &program, slots) }
    }

    private func takeStreams(_ program: inout StepProgram, _ slots: Slots) {
        if let terminal = slots.terminal {
            for number in CInt(0)...2 { program.add(.duplicate(terminal, to: number)) }
            program.add(.controllingTerminal(terminal))
        }
        // A manager's are root's already.
        if process.user.uid != 0 { program.add(.giveStreams(process.user.uid)) }
    }

    /// Labels are written through a proc file system of our own: the container's may be anything (CVE-2025-52881).
    private func label(_ program: inout StepProgram, _ slots: Slots) {
        guard let proc = slots.proc else { return }
        func write(_ text: String, to path: String, _ meaning: String) {
            let file = program.slot()
            program.add(
                .openAt(proc, path, flags: 1, resolve: PathResolution.inRoot, into: file), as: "set the \(meaning)")
            program.add(.write(Array(text.utf8), to: file, meaning: "the \(meaning)"))
        }
        if let profile = process.apparmorProfile {
            write("exec \(profile)", to: "self/attr/apparmor/exec", "AppArmor profile")
        }
        if let label = process.selinuxLabel { write(label, to: "self/attr/exec", "SELinux label") }
    }

    private func constrain(_ program: inout StepProgram) {
        program.add(.umask(process.user.umask ?? 0o022))
        for limit in process.limits where limit.kind != .descriptors { program.add(.limit(Self.limit(limit))) }
        if let policy = memoryPolicy { program.add(policy) }
        if let affinity {
            program.add(.affinity(affinity))
        } else if !keepsProcessors {
            // A manager's own mask is not the container's, and since Linux 6.2 it outlives the way into another cpuset.
            program.add(.allProcessors)
        }
        if let scheduler = process.scheduler { program.add(.scheduling(scheduler.attributes)) }
        if let priority = process.ioPriority {
            program.add(.ioPriority(Int32(priority.class.number << 13 | priority.priority)))
        }
    }

    /// As root, who may enter what the user may not (runc does the same), and by no link of /proc (CVE-2024-21626).
    private func enterDirectory(_ program: inout StepProgram) {
        program.add(
            .changeDirectoryInside(process.workingDirectory),
            as: "change to the working directory \(process.workingDirectory) (cwd)")
    }

    /// Comes late, since it binds what the child itself opens.
    private func limitDescriptors(_ program: inout StepProgram) {
        for limit in process.limits where limit.kind == .descriptors { program.add(.limit(Self.limit(limit))) }
    }

    private func becomeUser(_ program: inout StepProgram) {
        let sets = process.capabilities
        func set(_ names: [String]?) -> Capabilities {
            (names ?? []).reduce(into: Capabilities()) { set, name in
                if name != "ALL", let capability = Capabilities(name: name) { set.formUnion(capability) }
            }
        }
        let (effective, permitted) = (set(sets?.effective), set(sets?.permitted))
        let (inheritable, ambient) = (set(sets?.inheritable), set(sets?.ambient))
        program.add(.dropBounding(keeping: set(sets?.bounding), last: lastCapability))
        program.add(.keepCapabilities(true))
        if !areGroupsFixed || !process.user.additionalGids.isEmpty {
            program.add(.groups(process.user.additionalGids))
        }
        program.add(.gid(process.user.gid))
        program.add(.uid(process.user.uid))
        program.add(.keepCapabilities(false))
        // What is ambient has to be permitted and inheritable, capabilities(7).
        program.add(.capabilities(effective: effective, permitted: permitted, inheritable: inheritable))
        if !ambient.isEmpty { program.add(.ambient(ambient.intersection(permitted).intersection(inheritable))) }
    }

    private func load(_ filter: Filter, _ program: inout StepProgram, _ slots: Slots) {
        guard filter.hasListener else { return program.add(.seccomp(filter.program, flags: filter.flags)) }
        let listener = program.slot()
        program.add(.seccompListening(filter.program, flags: filter.flags, into: listener))
        program.add(.tell(slots.socket, with: listener))
        program.add(.close(listener))
    }

    static func limit(_ limit: ProcessLimit) -> ResourceLimit {
        ResourceLimit(
            ResourceLimit.Resource(rawValue: Int32(limit.kind.number))!, soft: limit.soft == .max ? nil : limit.soft,
            hard: limit.hard == .max ? nil : limit.hard)
    }

    /// All but SIGKILL and SIGSTOP, whose action nobody changes.
    private static let allSignals = ~Signal.mask([Signal.kill, Signal.stop])
}

extension SchedulerSpec {
    /// struct sched_attr of sched_setattr(2), its first 48 bytes.
    var attributes: [UInt8] {
        var bytes: [UInt8] = []
        func put(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        put(UInt32(48))
        put(policy.number)
        put(flags.reduce(UInt64(0)) { $0 | $1.bit })
        put(nice)
        put(UInt32(priority))
        put(runtime)
        put(deadline)
        put(period)
        return bytes
    }
}
