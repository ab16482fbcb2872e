internal import Glibc
internal import Linux

// Descriptors, processes and namespaces, read from proc(5). What ends while it is being read is passed over:
// it is not left behind.
extension Census {
    /// The open descriptors of this process.
    static func descriptors() -> [Item] {
        guard let directory = try? Files.open("/proc/self/fd", O_RDONLY | O_DIRECTORY),
            let names = try? Files.list(directory.raw)
        else { preconditionFailure("/proc/self/fd cannot be read") }
        return names.compactMap { name in
            guard name != "\(directory.raw)", let target = try? Files.link(name, at: directory.raw) else { return nil }
            return Item(
                kind: .descriptor, identity: "\(name) \(target)", sentence: "descriptor \(name) is open: \(target)")
        }
    }

    /// A process that counts as ours.
    struct OwnProcess {
        var pid: Int
        var item: Item
    }

    /// Every descendant of this process, and those that lost the parent through which they descend: whatever runs
    /// in a control group of ours, or an executable that was built beside this one or lies in a test's directory.
    static func processes(cgroupPrefix: String) -> [OwnProcess] {
        let me = Int(getpid())
        let all = everyProcess()
        let ancestors = ancestry(of: me, in: all)
        let builtAt = (try? Files.link("/proc/self/exe")).map(directoryPart)
        return all.values.compactMap { process in
            guard !ancestors.contains(process.pid) else { return nil }
            let isOurs =
                ancestry(of: process.pid, in: all).contains(me)
                || isInCgroup(process.pid, prefix: cgroupPrefix)
                || isOurs(executable: (try? Files.link("/proc/\(process.pid)/exe")) ?? "", builtAt: builtAt)
            return isOurs ? OwnProcess(pid: process.pid, item: process.item) : nil
        }
    }

    private static func isOurs(executable: String, builtAt: Substring?) -> Bool {
        executable.hasPrefix("/tmp/forkless-") || (builtAt != nil && directoryPart(executable) == builtAt)
    }

    /// The namespaces that `pids` and the threads of this process are in, and that this process is not.
    static func namespaces(heldBy pids: [Int]) -> [Item] {
        let own = Set(namespaceLinks(of: "/proc/self"))
        let threads = ((try? Files.list("/proc/self/task")) ?? []).map {
            (place: "/proc/self/task/\($0)", holder: "a thread of this process")
        }
        let holders = threads + pids.map { (place: "/proc/\($0)", holder: "process \($0)") }
        return holders.flatMap { holder in
            Set(namespaceLinks(of: holder.place)).subtracting(own).map {
                Item(kind: .namespace, identity: $0, sentence: "namespace \($0) is held by \(holder.holder)")
            }
        }
    }

    private static func namespaceLinks(of place: String) -> [String] {
        ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"].compactMap { try? Files.link("\(place)/ns/\($0)") }
    }

    private struct Process {
        var pid: Int
        var parent: Int
        var item: Item
    }

    private static func everyProcess() -> [Int: Process] {
        var all: [Int: Process] = [:]
        for name in (try? Files.list("/proc")) ?? [] {
            guard let pid = Int(name), let stat = try? Files.readText("/proc/\(pid)/stat"),
                let process = process(pid, stat: stat)
            else { continue }
            all[pid] = process
        }
        return all
    }

    /// Reads `pid (name) state parent ...`; the name may hold spaces and parentheses, so it ends at the last one.
    private static func process(_ pid: Int, stat: String) -> Process? {
        guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")") else { return nil }
        let name = stat[stat.index(after: open)..<close]
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 19, let parent = Int(fields[1]) else { return nil }
        let state = fields[0] == "Z" ? "has ended and was not reaped" : "is running (state \(fields[0]))"
        return Process(
            pid: pid, parent: parent,
            item: Item(
                kind: .process, identity: "\(pid) started \(fields[19])",
                sentence: "process \(pid) (\(name)), child of \(parent), \(state)"))
    }

    /// A process and all above it.
    private static func ancestry(of pid: Int, in all: [Int: Process]) -> Set<Int> {
        var line: Set<Int> = []
        var at = pid
        while let process = all[at], line.insert(at).inserted { at = process.parent }
        return line
    }

    private static func isInCgroup(_ pid: Int, prefix: String) -> Bool {
        guard let lines = try? Files.readText("/proc/\(pid)/cgroup") else { return false }
        return lines.split(separator: "\n").contains { $0.contains("/" + prefix) }
    }

    private static func directoryPart(_ path: String) -> Substring {
        path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    }
}
