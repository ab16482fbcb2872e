import Linux
import Sandbox
import Spawn

/// A process on its way to become a program: prepared ahead or for a start that waits, then given its call.
final class Child {
    enum Stage {
        /// Joining cgroups, mounting; not yet able to take a call.
        case preparing
        /// Waiting for its call.
        case parked
        /// Has its call and is about to exec.
        case released
    }

    /// What it was made from; nil: it will be executed in a sandbox that runs.
    let template: TemplateEntry?
    let plan: SandboxPlan
    let cgroup: UsableCgroup?
    /// Its network namespace, where the next sandbox may get it.
    var network: SharedFD?
    /// Its mount namespace, held so that it is not taken down at the program's exit; the janitor's then.
    var mounts: CInt?
    /// Where it writes.
    var room: UsedRoom?
    /// Whether programs of another sandbox were given the way into this one.
    var isOpened = false
    /// The sandbox whose pid namespace it was born into; nil: its own, or the machine's.
    var pidOwner: String?
    /// What stands still until it is a program, or gone.
    var held: [Supervised] = []
    let pid: Int32
    let pidfd: SharedFD
    var stage = Stage.preparing
    /// The start that this child serves; nil: it is prepared ahead.
    var start: PendingStart?
    var launch: ParkedLaunch
    var socketWatch: EventLoop.Watch?
    var processWatch: EventLoop.Watch?

    init(
        _ template: TemplateEntry?, plan: SandboxPlan, cgroup: UsableCgroup?, launch: consuming ParkedLaunch
    ) throws(SystemError) {
        self.template = template
        self.plan = plan
        self.cgroup = cgroup
        pid = launch.pid
        let descriptor = launch.takePidfd()
        do { pidfd = SharedFD(try descriptor.duplicate(lowest: LongLived.lowestDescriptor)) } catch {
            // Nobody else will reap it.
            try? ProcessFD.signal(Signal.kill, to: descriptor.raw)
            _ = try? ExitRecord.reap(pidfd: descriptor.raw, block: true)
            throw error
        }
        self.launch = launch
    }
}

/// A cgroup and what it counted for those who had it before.
struct UsableCgroup {
    var cgroup: Cgroup
    var baseline = CgroupUsage()
}

/// A start that has been asked for and not yet answered.
final class PendingStart {
    let connection: UInt64
    let number: UInt64
    let name: String
    /// The sandbox in which it is executed; nil for a sandbox's own program.
    let parent: String?
    let call: ProgramCall
    /// The room that it was asked to be started in; nil: a fresh one.
    var room: String?
    /// What the files of its room are to hold.
    var files = RoomFiles()
    /// The sandbox inside whose pid namespace it is started; nil: the machine's.
    var beneath: String?
    /// The sandbox into whose pid namespace it is born; nil: one of its own, or the machine's.
    var among: String?
    /// The network that came with the request.
    var network: SharedFD?
    /// The IPC namespace that came with it.
    var ipc: SharedFD?
    let arrivedNanoseconds: Int
    var wasPrepared = false
    /// What the program gets as standard input, output and error.
    var standard: [SharedFD] = []
    /// What goes back with the answer.
    var answered: [SharedFD] = []
    var streams: ProgramStreams?

    init(connection: UInt64, number: UInt64, name: String, parent: String?, call: ProgramCall) {
        self.connection = connection
        self.number = number
        self.name = name
        self.parent = parent
        self.call = call
        arrivedNanoseconds = Clock.monotonicNanoseconds()
    }
}

/// A compiled plan and the children prepared for it.
final class TemplateEntry {
    let number: UInt32
    let template: SandboxTemplate
    /// How many children should wait.
    var target = 0
    var parked: [Child] = []
    /// Prepared ahead and not yet waiting.
    var preparingAhead = 0
    /// Dropped: nothing more is prepared.
    var isDropped = false
    /// Preparation failed this often in a row; after some it is not tried ahead any more.
    var failuresInARow = 0
    /// Cgroups of ended sandboxes, with this template's limits.
    var idleCgroups: [UsableCgroup] = []
    /// Whether a sandbox could have changed nothing in its network namespace but sockets.
    let sharesNetworks: Bool

    init(number: UInt32, template: SandboxTemplate) {
        self.number = number
        self.template = template
        let plan = template.plan
        // Who may administer the network or write its settings (root, when /proc/sys is not read-only) could leave
        // something behind for the next.
        sharesNetworks =
            plan.namespaces.contains(.network) && !plan.namespaces.contains(.user)
            && plan.bounding.isDisjoint(with: Capabilities(names: ["NET_ADMIN", "SYS_ADMIN", "NET_RAW"]) ?? .all)
            && plan.readOnlyPaths.contains("/proc/sys") && plan.namespaces.contains(.mount)
    }

    /// How many children are still to be prepared ahead. Refilling starts when half are taken and goes on until all
    /// are there, so that most starts find the keeper with nothing else to do.
    var missing: Int {
        guard !isDropped, failuresInARow < Self.failureLimit else { return 0 }
        let present = parked.count + preparingAhead
        if present >= target { isRefilling = false }
        if present <= target / 2, present < target { isRefilling = true }
        return isRefilling ? target - present : 0
    }

    private var isRefilling = false

    /// Most cgroups kept for the next sandbox.
    static let idleCgroupLimit = 64

    static let failureLimit = 3
}

/// A program that runs, or has ended and is not yet acknowledged.
final class Supervised {
    let name: String
    let parent: String?
    let start: StartReport
    let cgroup: Cgroup?
    let baseline: CgroupUsage
    /// Whether everything in its cgroup was killed at once: a cgroup is not born into again after that.
    var cgroupWasKilled = false
    /// What it was made from, for what can be used again.
    let template: TemplateEntry?
    let network: SharedFD?
    var mounts: CInt?
    /// Where it writes, until it has ended.
    var room: UsedRoom?
    let hasPidNamespace: Bool
    /// The sandbox whose pid namespace its programs are in: itself, or another; nil: the machine's.
    let pidOwner: String?
    /// How many children wait until it stands still no more.
    var holds = 0
    let plan: SandboxPlan
    /// Whether another sandbox was given the way into its cgroup, which nobody else gets then.
    let isOpened: Bool
    /// What its cgroup is limited to, once somebody changed it.
    var changedLimits: CgroupLimits?
    /// nil once it has been reaped.
    var pidfd: SharedFD?
    var watch: EventLoop.Watch?
    var streams: ProgramStreams?
    var isFrozen = false
    var end: EndReport?

    init(_ child: Child, name: String, parent: String?, start: StartReport) {
        self.name = name
        self.parent = parent
        self.start = start
        cgroup = child.cgroup?.cgroup
        baseline = child.cgroup?.baseline ?? CgroupUsage()
        template = child.template
        network = child.network
        mounts = child.mounts
        child.mounts = nil
        room = child.room
        child.room = nil
        plan = child.plan
        isOpened = child.isOpened
        hasPidNamespace = plan.namespaces.contains(.pid)
        pidOwner = child.pidOwner ?? (hasPidNamespace ? name : nil)
        pidfd = child.pidfd
    }

    var report: SandboxReport {
        SandboxReport(sandbox: name, parent: parent, start: start, isFrozen: isFrozen, end: end)
    }
}
