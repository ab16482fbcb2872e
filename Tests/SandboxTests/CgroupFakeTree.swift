import Linux
import Sandbox

/// A cgroup tree of plain directories in which a test plays the kernel: it makes the control files that a new group
/// would have, and takes them away before the group is removed.
final class CgroupFakeTree: Sendable {
    enum Host: CaseIterable { case legacy, hybrid, unified }

    static let parent = "forkless-fake"

    let root: String
    let layout: CgroupLayout

    /// Makes the hierarchies of such a host with the parent group in each.
    init(_ host: Host) throws {
        root = "/tmp/forkless-fake-cgroups-\(UInt64.random(in: 0 ... .max))"
        var layout = CgroupLayout()
        if host != .legacy { layout.unified = .init(path: root + "/unified", controllers: []) }
        if host == .unified { layout = layout.offering("cpuset cpu io memory pids") }
        if host != .unified {
            layout.legacy = [
                .init(path: root + "/cpu,cpuacct", controllers: [.cpu, .cpuAccounting]),
                .init(path: root + "/cpuset", controllers: .cpuset),
                .init(path: root + "/memory", controllers: .memory),
                .init(path: root + "/freezer", controllers: .freezer),
                .init(path: root + "/pids", controllers: .pids),
            ]
        }
        self.layout = layout
        for mount in mounts {
            try Files.makeDirectories("\(mount)/\(Self.parent)")
            if mount == layout.unified?.path {
                try write("", to: mount + "/cgroup.subtree_control")
            } else {
                try write("0-1\n", to: mount + "/cpuset.cpus")
                try write("0\n", to: mount + "/cpuset.mems")
            }
        }
        try populate("")
    }

    deinit { try? Files.removeTree(root) }

    var mounts: [String] { (layout.unified.map { [$0.path] } ?? []) + layout.legacy.map(\.path) }

    /// The directories of a group, those of the parent for "".
    func directories(_ name: String) -> [String] {
        mounts.map { name.isEmpty ? "\($0)/\(Self.parent)" : "\($0)/\(Self.parent)/\(name)" }.filter {
            Files.exists($0)
        }
    }

    /// Makes the control files of a group, empty, as the kernel would have made them with the directory.
    func populate(_ name: String) throws {
        for directory in directories(name) {
            for file in files(in: directory) { try write("", to: "\(directory)/\(file)") }
        }
    }

    /// Takes away the control files of a group, so that rmdir(2) finds it as empty as a real one.
    func strip(_ name: String) throws {
        for directory in directories(name) {
            for file in try Files.list(directory) { try Files.removeTree("\(directory)/\(file)") }
        }
    }

    /// The text of the first control file of this name.
    func text(_ file: String, of name: String) throws -> String {
        for directory in directories(name) where Files.exists("\(directory)/\(file)") {
            return try Files.readText("\(directory)/\(file)")
        }
        throw SystemError("find fake control file", file, code: .noEntry)
    }

    /// Puts a text into the control file of this name, wherever it is.
    func set(_ file: String, of name: String, to text: String) throws {
        for directory in directories(name) where Files.exists("\(directory)/\(file)") {
            try write(text, to: "\(directory)/\(file)")
        }
    }

    private func write(_ text: String, to path: String) throws { try Files.replace(path, with: Array(text.utf8)) }

    private func files(in directory: String) -> [String] {
        if directory.hasPrefix(root + "/unified/") {
            return [
                "cgroup.procs", "cgroup.events", "cgroup.freeze", "cgroup.kill", "cgroup.subtree_control", "cpu.stat",
            ]
                + (layout.unified?.controllers.contains(.memory) != true
                    ? []
                    : [
                        "memory.max", "memory.swap.max", "memory.oom.group", "memory.current", "memory.peak",
                        "memory.events", "pids.max", "pids.current", "cpu.max", "cpu.weight", "cpuset.cpus",
                        "cpuset.mems",
                    ])
        }
        let common = ["cgroup.procs", "tasks", "cgroup.clone_children"]
        switch directory.dropFirst(root.count + 1).prefix(while: { $0 != "/" }) {
        case "memory":
            return common + [
                "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.usage_in_bytes",
                "memory.max_usage_in_bytes", "memory.failcnt", "memory.memsw.failcnt", "memory.oom_control",
            ]
        case "pids": return common + ["pids.max", "pids.current"]
        case "cpuset": return common + ["cpuset.cpus", "cpuset.mems"]
        case "freezer": return common + ["freezer.state"]
        default: return common + ["cpu.cfs_quota_us", "cpu.shares", "cpu.stat", "cpuacct.usage", "cpuacct.stat"]
        }
    }
}
