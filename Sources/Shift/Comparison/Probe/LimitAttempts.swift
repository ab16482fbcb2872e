import Glibc
import Linux

/// Attempts to take more of the machine than the program was given.
extension ProbeAttempt {
    static let ofLimits = [
        ProbeAttempt("change-limits", "lift the limits that it was given") { settings throws(ProbeGap) in
            let membership: String
            do { membership = try Files.readText("/proc/self/cgroup") } catch { throw ProbeGap(reason: "\(error)") }
            let files = [
                "memory.max", "memory.limit_in_bytes", "pids.max", "cpu.max", "cpu.cfs_quota_us", "cgroup.procs",
            ]
            let directories = ["memory", "pids", "cpu"].flatMap {
                ControlGroupMembership.directories(ofController: $0, in: membership)
            }
            let there = directories.flatMap { directory in files.map { directory + "/" + $0 } }.filter(Files.exists)
            return there.isEmpty ? .stopped("its cgroup is not visible") : opening(there, O_WRONLY)
        },
        ProbeAttempt("go-first", "take the processor before all others") { settings throws(ProbeGap) in
            try verdict(Trial.goFirst())
        },
        ProbeAttempt("open-without-end", "open files without end") { settings throws(ProbeGap) in
            try verdict(["\(descriptors) descriptors": Trial.openDescriptors(count: descriptors)])
        },
        ProbeAttempt("fill-disk", "take more of the machine's disk than it was given") { settings throws(ProbeGap) in
            let isTold = settings.environment[ProbeSettings.diskMebibytes] != nil
            let mebibytes = isTold ? try settings.number(ProbeSettings.diskMebibytes, in: 1...1_048_576) : 64
            return try filling(mebibytes)
        },
        ProbeAttempt("fork-without-end", "start processes without end") { settings throws(ProbeGap) in
            guard settings.environment[ProbeSettings.forks] != nil else {
                return try limit(ofController: "pids", files: ["pids.max"], unlimitedFrom: 4_194_304) {
                    "\($0) processes"
                }
            }
            let wanted = try settings.number(ProbeSettings.forks, in: 1...Trial.childrenLimit)
            do {
                let children = try Trial.children(wanted)
                guard let refusal = children.refusal else { return .possible("started \(children.made)") }
                return .stopped("\(refusal.name) after \(children.made)")
            } catch { throw ProbeGap(reason: "\(error)") }
        },
        ProbeAttempt("exceed-memory", "use more memory than it was given") { settings throws(ProbeGap) in
            guard settings.environment[ProbeSettings.memoryMebibytes] != nil else {
                // cgroup v1 says "no limit" with a number just below 2^63, cgroup v2 with the word "max".
                return try limit(
                    ofController: "memory", files: ["memory.max", "memory.limit_in_bytes"], unlimitedFrom: 1 << 60
                ) { FloatingText.bytes($0) }
            }
            let mebibytes = try settings.number(ProbeSettings.memoryMebibytes, in: 1...65_536)
            return try verdict(["\(mebibytes) MiB": Trial.useMemory(bytes: mebibytes << 20)])
        },
    ]

    /// More than a program needs that waits for the answers of others.
    private static let descriptors = 65_536

    /// Directories that programs are often allowed to write into.
    private static func filling(_ mebibytes: Int) throws(ProbeGap) -> ProbeVerdict {
        var refusals: [String] = []
        for directory in [".", "/tmp", "/var/tmp", "/var/lib", "/home", "/root", "/usr"] {
            switch Trial.takeDisk(bytes: mebibytes << 20, in: directory) {
            case .taken: return .possible("\(mebibytes) MiB below \(directory)")
            case .refused(let code): refusals.append("\(directory): \(code.name)")
            case .memory: refusals.append("\(directory): in memory")
            case .littleRoom: throw ProbeGap(reason: "the disk of \(directory) is too full to try")
            }
        }
        return .stopped(refusals.joined(separator: ", "))
    }

    /// Whether a limit of the cgroup stands, by its own files; without them nothing can be said.
    private static func limit(
        ofController controller: String, files: [String], unlimitedFrom: Int, _ text: (Int) -> String
    ) throws(ProbeGap) -> ProbeVerdict {
        let membership: String
        do { membership = try Files.readText("/proc/self/cgroup") } catch { throw ProbeGap(reason: "\(error)") }
        let directories = ControlGroupMembership.directories(ofController: controller, in: membership)
        for path in directories.flatMap({ directory in files.map { directory + "/" + $0 } }) {
            guard let value = try? Files.readText(path), let limit = Int(value), limit < unlimitedFrom else { continue }
            return .stopped("\(text(limit)), by \(path)")
        }
        // The root of a hierarchy has no files for limits: that there is no limit is certain only where the
        // program's own cgroup can be seen.
        guard let seen = directories.first(where: { Files.exists($0 + "/cgroup.procs") }) else {
            throw ProbeGap(reason: "the \(controller) cgroup is not visible")
        }
        return .possible("no limit in \(seen) or above it")
    }
}

/// Where the files of a process' cgroup are, from /proc/self/cgroup, cgroups(7).
enum ControlGroupMembership {
    /// The directories whose files may hold a limit, the own one first, then those above it, for v1 and v2.
    static func directories(ofController controller: String, in membership: String) -> [String] {
        var result: [String] = []
        for line in membership.split(separator: "\n") {
            // "4:memory:/path" names controllers of v1; "0::/path" is the unified hierarchy.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2].hasPrefix("/") else { continue }
            let controllers = parts[1].split(separator: ",")
            if controllers.contains(Substring(controller)) {
                result += chain("/sys/fs/cgroup/\(parts[1])", parts[2])
            } else if parts[0] == "0" {
                result += chain("/sys/fs/cgroup", parts[2]) + chain("/sys/fs/cgroup/unified", parts[2])
            }
        }
        return result
    }

    private static func chain(_ root: String, _ path: Substring) -> [String] {
        var names = path.split(separator: "/")
        var result: [String] = []
        while !names.isEmpty {
            result.append(root + "/" + names.joined(separator: "/"))
            names.removeLast()
        }
        return result + [root]
    }
}
