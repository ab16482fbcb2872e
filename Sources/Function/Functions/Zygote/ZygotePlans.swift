internal import Engine
internal import Keeper
internal import Linux
internal import Sandbox
internal import Spawn

/// The sandboxes of a zygote and of the places beneath it, both made from the plan of a cold start.
///
/// Invariants (with their tests in ZygotePlansTests)
/// 1. A place has what a cold start's sandbox has, and a user namespace besides, in which ids are the machine's and
///    nobody has rights in the end. (`a place is a cold start's sandbox in a user namespace`)
/// 2. A zygote may make one system call more, and only to enter a sandbox with everything that is its own.
///    (`a zygote may enter whole sandboxes and nothing else`)
struct ZygotePlans: Sendable {
    let zygote: SandboxPlan
    let place: SandboxPlan

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET, all in one call.
    static let everything: UInt32 = 0x7E02_0000

    /// - Parameter share: limits of instances, which have their initialisation behind them; nil: those of a cold start.
    init(_ cold: SandboxPlan, share: CgroupLimits? = nil) {
        var zygote = cold
        zygote.network = .own
        zygote.systemCallFilter = Self.filter
        // Its only work is to initialise and to fork: instances have their share, it has what is free.
        zygote.limits.cpuMillis = nil
        self.zygote = zygote
        var place = cold
        place.network = .own
        place.namespaces.insert(.user)
        place.identityMap = IdentityMap(firstUserOutside: 0, firstGroupOutside: 0, count: 65_536)
        place.usesInit = true
        if let share { place.limits = share }
        self.place = place
    }

    /// Holds a place until a fork is in it.
    static let holding = ProgramCall(
        path: SandboxPlan.initPath, arguments: [SandboxPlan.initPath, InitProgram.flag], environment: [])

    private static let filter: [UInt8] = {
        var profile = SeccompProfile.standard(capabilities: [])
        profile.rules.append(SeccompRule(["setns"], .allow, when: [.int(1, is: everything)]))
        // Our own profile: it compiles.
        do { return try profile.compile().bytes } catch { preconditionFailure("the zygote's filter does not compile: \(error)") }
    }()
}
