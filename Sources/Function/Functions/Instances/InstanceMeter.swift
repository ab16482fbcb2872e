internal import Linux
internal import Sandbox

/// What an instance has used so far, read from the files of its cgroup, which are kept open: two reads for each call.
///
/// Figures that the machine does not count are 0 of CPU time and 0 bytes: a function's report has no word for "unknown".
final class InstanceMeter: Sendable {
    private let cpu: (file: SharedFD, isUnified: Bool)?
    private let memory: SharedFD?

    /// Finds the cgroup of a process that was just started. A few short reads of /proc.
    init(pid: Int32, _ layout: CgroupLayout) {
        let lines = ((try? Files.readText("/proc/\(pid)/cgroup")) ?? "").split(separator: "\n").map {
            $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        }
        // Of two hierarchies that could count, the keeper joins one: the process is in a group of its own there.
        func place(_ controller: CgroupControllers, _ name: Substring) -> (path: String, isUnified: Bool)? {
            if let mount = layout.legacy.first(where: { $0.controllers.contains(controller) }),
                let line = lines.first(where: { $0.count == 3 && $0[1].split(separator: ",").contains(name) }),
                line[2].contains("forkless")
            {
                return (mount.path + String(line[2]), false)
            }
            guard let unified = layout.unified, let line = lines.first(where: { $0.count == 3 && $0[1].isEmpty }) else { return nil }
            return (unified.path + String(line[2]), true)
        }
        cpu = place(.cpuAccounting, "cpuacct").flatMap { place in
            Self.open("\(place.path)/\(place.isUnified ? "cpu.stat" : "cpuacct.usage")").map { ($0, place.isUnified) }
        }
        memory = place(.memory, "memory").flatMap { place in
            Self.open("\(place.path)/\(place.isUnified ? "memory.peak" : "memory.max_usage_in_bytes")")
        }
    }

    private static func open(_ path: String) -> SharedFD? {
        do { return SharedFD(try Files.open(path, 0)) } catch { return nil }
    }

    /// CPU time of everything that is or was in the instance.
    var cpuMicroseconds: Int {
        guard let cpu else { return 0 }
        guard let number = Self.number(cpu.file.raw, after: cpu.isUnified ? "usage_usec " : "") else { return 0 }
        return cpu.isUnified ? number : number / 1000
    }

    /// The most memory that it held at one time.
    var peakBytes: Int { memory.flatMap { Self.number($0.raw, after: "") } ?? 0 }

    /// The number at the beginning of a control file, or behind a word there.
    private static func number(_ fd: CInt, after word: StaticString) -> Int? {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { room in
            guard let count = try? Files.read(fd, into: room, from: 0) else { return nil }
            let bytes = room[..<count].dropFirst(word.utf8CodeUnitCount)
            var value = 0
            var digits = 0
            for byte in bytes {
                guard (0x30...0x39).contains(byte) else { break }
                value = value &* 10 &+ Int(byte - 0x30)
                digits += 1
            }
            return digits > 0 ? value : nil
        }
    }
}
