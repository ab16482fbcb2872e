package import Linux

/// How much of everything this machine has: what a limit is measured against.
package struct MachineCapacity: Hashable, Sendable {
    /// The CPUs that are online.
    package var cpus: IndexList
    /// The memory nodes (NUMA) that are online.
    package var memoryNodes: IndexList
    /// Memory in bytes.
    package var memoryBytes: Int
    /// The largest number of processes and threads, proc_sys_kernel(5) pid_max.
    package var processes: Int

    package init(cpus: IndexList, memoryNodes: IndexList, memoryBytes: Int, processes: Int) {
        self.cpus = cpus
        self.memoryNodes = memoryNodes
        self.memoryBytes = memoryBytes
        self.processes = processes
    }

    /// Reads what the kernel says about this machine.
    package static func ofThisMachine() throws(SystemError) -> MachineCapacity {
        let meminfo = try Files.readText("/proc/meminfo")
        guard let line = meminfo.split(separator: "\n").first(where: { $0.hasPrefix("MemTotal:") }),
            let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { throw SystemError("find MemTotal in", "/proc/meminfo", code: .invalid) }
        let pidsPath = "/proc/sys/kernel/pid_max"
        guard let processes = Int(try Files.readText(pidsPath)) else {
            throw SystemError("read a number from", pidsPath, code: .invalid)
        }
        // A kernel without NUMA has no such directory: all of its memory is node 0.
        let nodes = "/sys/devices/system/node/online"
        return MachineCapacity(
            cpus: try list("/sys/devices/system/cpu/online"),
            memoryNodes: Files.exists(nodes) ? try list(nodes) : IndexList("0")!,
            memoryBytes: kibibytes * 1024, processes: processes)
    }

    private static func list(_ path: String) throws(SystemError) -> IndexList {
        let text = try Files.readText(path)
        guard let list = IndexList(text) else { throw SystemError("read a list from", path, code: .invalid) }
        return list
    }
}
