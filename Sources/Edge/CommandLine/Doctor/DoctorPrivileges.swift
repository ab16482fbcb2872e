import Comparison
import Linux

// The judgements of `DoctorReport` about what this process may do and what belongs to Forkless itself.
extension DoctorReport {
    /// What the keeper cannot do without, and what for.
    private static let required = Capabilities(names: [
        "SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SYS_CHROOT", "MKNOD",
    ])!

    static func privileges(_ facts: DoctorFacts) -> [Check] {
        guard facts.isRoot else {
            return [
                Check(
                    name: "privileges", outcome: .limited, finding: "an ordinary user: sandboxes need a user namespace",
                    advice: "Run the node as root for limits, other users and host mounts.")
            ]
        }
        let absent = required.subtracting(facts.capabilities)
        guard absent.isEmpty else {
            return [
                Check(
                    name: "privileges", outcome: .missing,
                    finding: "root without \(absent.memberNames.joined(separator: ", "))",
                    advice: "Run Forkless where root has them (docker run --privileged, or outside the container).")
            ]
        }
        guard facts.capabilities.contains(Capabilities(name: "SYS_RESOURCE")!) else {
            return [
                Check(
                    name: "privileges", outcome: .limited, finding: "root without SYS_RESOURCE: --ulimit cannot go above our own",
                    advice: "Give CAP_SYS_RESOURCE, or start the node with the limits that programs need.")
            ]
        }
        return [Check(name: "privileges", outcome: .ok, finding: "root with the capabilities that sandboxes need")]
    }

    /// Descriptors that the keeper has open per running program, rounded up: pidfd, logs, cgroup.
    private static let descriptorsPerProgram = 8
    /// How many programs a node is promised to hold at once.
    private static let promisedPrograms = 2000

    static func limits(_ facts: DoctorFacts) -> [Check] {
        var checks: [Check] = []
        let needed = UInt64(descriptorsPerProgram * promisedPrograms)
        let files = facts.openFiles.hard ?? .max
        checks.append(
            files >= needed
                ? Check(name: "open files", outcome: .ok, finding: text(facts.openFiles))
                : Check(
                    name: "open files", outcome: .limited,
                    finding: "\(text(facts.openFiles)): room for about \(Int(files) / descriptorsPerProgram) programs at once",
                    advice: "Raise the hard limit to \(needed) (ulimit -Hn, LimitNOFILE=)."))
        let pids = facts.largestPid ?? .max
        let processes = min(facts.processes.soft ?? .max, UInt64(pids))
        checks.append(
            processes >= UInt64(promisedPrograms) * 2
                ? Check(
                    name: "processes", outcome: .ok,
                    finding: "\(text(facts.processes)), pid_max \(facts.largestPid.map { "\($0)" } ?? "unknown")")
                : Check(
                    name: "processes", outcome: .limited, finding: "at most \(processes) at once",
                    advice: "Raise ulimit -u, or /proc/sys/kernel/pid_max."))
        return checks
    }

    private static func text(_ limit: DoctorFacts.SoftAndHard) -> String {
        func one(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "unlimited" }
        return limit.soft == limit.hard ? one(limit.soft) : "\(one(limit.soft)), at most \(one(limit.hard))"
    }

    static func keeper(_ facts: DoctorFacts) -> Check {
        if let keeper = facts.keeper { return Check(name: "keeper", outcome: .ok, finding: keeper) }
        return Check(
            name: "keeper", outcome: .missing, finding: "no executable at \(facts.keeperPlaces.joined(separator: ", "))",
            advice: "Install forkless-keeper beside forkless: make install PREFIX=/usr/local")
    }

    static func directory(_ fact: DoctorFacts.DirectoryFact) -> Check {
        let name = "\(fact.purpose) directory"
        switch fact.state {
        case .writable: return Check(name: name, outcome: .ok, finding: fact.path)
        case .absent: return Check(name: name, outcome: .ok, finding: "\(fact.path), which the node will make")
        case .blocked(let reason):
            return Check(
                name: name, outcome: .missing, finding: "\(fact.path): \(reason)",
                advice: "Run Forkless as root, or choose another with --\(fact.purpose) DIR.")
        }
    }

    static func node(_ facts: DoctorFacts) -> Check {
        switch facts.node {
        case .success(let version): return Check(name: "node", outcome: .ok, finding: "version \(version) answers")
        case .failure(let unanswered):
            return Check(
                name: "node", outcome: .limited, finding: unanswered.reason,
                advice: "Only `forkless run` works without one.")
        }
    }
}
