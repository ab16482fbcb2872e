/// The cgroup controllers that a sandbox can be held by, cgroups(7).
///
/// The same names serve v1 and v2, with two exceptions: v2 keeps the account of CPU time without a controller, and
/// freezes without one.
package struct CgroupControllers: OptionSet, Hashable, Sendable, CustomStringConvertible {
    package var rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The limit on memory and the account of it.
    package static let memory = CgroupControllers(rawValue: 1 << 0)
    /// The limit on the number of processes and threads.
    package static let pids = CgroupControllers(rawValue: 1 << 1)
    /// The limit on CPU time and the share of it.
    package static let cpu = CgroupControllers(rawValue: 1 << 2)
    /// Which CPUs and memory nodes are used.
    package static let cpuset = CgroupControllers(rawValue: 1 << 3)
    /// The account of CPU time: `cpuacct` on v1, nothing to ask for on v2.
    package static let cpuAccounting = CgroupControllers(rawValue: 1 << 4)
    /// `freezer` on v1, nothing to ask for on v2. Not to be asked for: every sandbox has it where there is one.
    package static let freezer = CgroupControllers(rawValue: 1 << 5)

    /// What v2 lists in cgroup.controllers and hands down through cgroup.subtree_control.
    static let delegated: CgroupControllers = [.memory, .pids, .cpu, .cpuset]
    /// What v2 does in every group, whichever controllers are there.
    static let unifiedCore: CgroupControllers = [.cpuAccounting, .freezer]

    /// Every controller with the kernel's name for it, in the order in which they are named to users.
    static let named: [(controller: CgroupControllers, name: String)] = [
        (.memory, "memory"), (.pids, "pids"), (.cpu, "cpu"), (.cpuset, "cpuset"), (.cpuAccounting, "cpuacct"),
        (.freezer, "freezer"),
    ]

    /// The controllers among `names`; names of others ("blkio", "rw", "name=systemd") are passed over.
    init(names: some Sequence<some StringProtocol>) {
        self = []
        for name in names {
            for entry in Self.named where entry.name == name { insert(entry.controller) }
        }
    }

    /// The kernel's names.
    package var names: [String] { Self.named.filter { contains($0.controller) }.map(\.name) }

    package var description: String { isEmpty ? "none" : names.joined(separator: ", ") }
}
