import Comparison
import Linux
import Networking
import Sandbox

// The judgements of `DoctorReport`, one function per part of the machine.
extension DoctorReport {
    static func kernel(_ facts: DoctorFacts) -> Check {
        Check(
            name: "machine", outcome: .ok,
            finding: "Linux \(facts.kernelRelease), \(facts.processors) processors, \(FloatingText.bytes(facts.memoryBytes))")
    }

    private struct Need {
        var call: KernelCall
        var since: String
        var without: Check.Outcome
        var loss: String
    }

    private static let needs = [
        Need(call: .clone3, since: "5.3", without: .missing, loss: "programs are started with it"),
        Need(call: .pidfdOpen, since: "5.3", without: .missing, loss: "processes are held by it"),
        Need(call: .openat2, since: "5.6", without: .missing, loss: "paths inside a root are resolved with it"),
        Need(call: .closeRange, since: "5.9", without: .missing, loss: "descriptors are kept from programs with it"),
        Need(call: .openTree, since: "5.2", without: .missing, loss: "root file systems are made with it"),
        Need(call: .fsopen, since: "5.2", without: .missing, loss: "private file systems are made with it"),
        Need(call: .mountSetattr, since: "5.12", without: .missing, loss: "read-only views are made with it"),
        Need(call: .seccompFilter, since: "3.17", without: .missing, loss: "system calls are filtered with it"),
        Need(
            call: .cloneIntoCgroup, since: "5.7", without: .limited,
            loss: "starts go through a process parked in the group instead"),
    ]

    static func calls(_ facts: DoctorFacts) -> [Check] {
        let wanting = needs.compactMap { need -> Check? in
            switch facts.calls[need.call] ?? .missing {
            case .available: return nil
            case .missing:
                return Check(
                    name: need.call.rawValue, outcome: need.without, finding: "not in this kernel: \(need.loss)",
                    advice: "Use Linux \(need.since) or later.")
            case .refused(let code):
                return Check(
                    name: need.call.rawValue, outcome: need.without, finding: "refused with \(code.name): \(need.loss)",
                    advice: "A seccomp filter or a security module around this process forbids it: allow it there.")
            }
        }
        guard wanting.isEmpty else { return wanting }
        let names = needs.map(\.call.rawValue).joined(separator: ", ")
        return [Check(name: "system calls", outcome: .ok, finding: names)]
    }

    static func namespaces(_ facts: DoctorFacts) -> Check {
        let refused = facts.namespaces.filter { $0.refusal != nil }
        let made = facts.namespaces.filter { $0.refusal == nil }.map(\.name)
        guard let first = refused.first, let code = first.refusal else {
            return Check(name: "namespaces", outcome: .ok, finding: made.joined(separator: ", "))
        }
        // With root, sandboxes do without a user namespace.
        let onlyUser = facts.isRoot && refused.map(\.name) == ["user"]
        let advice =
            switch code {
            case .noSpace: "The limit in /proc/sys/user/max_\(first.name)_namespaces is reached or 0: raise it."
            case .notPermitted where facts.isRoot: "This process may not make them: run Forkless outside the container it is in."
            case .notPermitted: "Run Forkless as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)."
            case .invalid: "This kernel was built without them: use one with CONFIG_NAMESPACES and its kinds."
            default: "See namespaces(7) for \(code.name)."
            }
        return Check(
            name: "namespaces", outcome: onlyUser ? .limited : .missing,
            finding: "refused: " + refused.map { "\($0.name) (\($0.refusal!.name))" }.joined(separator: ", "), advice: advice)
    }

    static func cgroups(_ facts: DoctorFacts) -> [Check] {
        switch facts.cgroups {
        case .failure(let error):
            return [
                Check(
                    name: "cgroups", outcome: .missing, finding: "\(error)",
                    advice: "Mount /proc and the cgroup file system, as systemd does.")
            ]
        case .success(let found): return [layout(found), controllers(found)]
        }
    }

    private static func layout(_ found: DoctorFacts.CgroupFacts) -> Check {
        let mounts = found.layout.legacy + (found.layout.unified.map { [$0] } ?? [])
        guard !mounts.isEmpty else {
            return Check(
                name: "cgroups", outcome: .missing, finding: "none mounted: nothing can be limited, counted or killed as a whole",
                advice: "mount -t cgroup2 none /sys/fs/cgroup")
        }
        let kind =
            switch found.layout.kind {
            case .unified: "v2"
            case .legacy: "v1"
            case .hybrid: "hybrid: v1 hierarchies beside v2"
            case .none: "none"
            }
        let closed = mounts.map(\.path).filter { !found.writable.contains($0) }
        guard closed.isEmpty else {
            return Check(
                name: "cgroups", outcome: .missing, finding: "\(kind); no groups can be made in \(closed.joined(separator: ", "))",
                advice: "Run Forkless as root, or have a part of the hierarchy delegated (systemd: Delegate=yes).")
        }
        return Check(name: "cgroups", outcome: .ok, finding: kind)
    }

    private static func controllers(_ found: DoctorFacts.CgroupFacts) -> Check {
        var present = found.layout.unified?.controllers ?? []
        for mount in found.layout.legacy { present.formUnion(mount.controllers) }
        let wanted: CgroupControllers = [.memory, .pids, .cpu, .cpuset]
        let absent = wanted.subtracting(present)
        guard !absent.isEmpty else {
            return Check(name: "controllers", outcome: .ok, finding: "\(present.intersection(wanted))")
        }
        return Check(
            name: "controllers", outcome: .limited, finding: "not available: \(absent), so those limits are refused",
            advice: "v2: enable them above (cgroup.subtree_control); v1: mount them; memory may need cgroup_enable=memory at boot.")
    }

    static func overlay(_ facts: DoctorFacts) -> Check {
        if facts.fileSystems.contains("overlay") {
            return Check(name: "overlayfs", outcome: .ok, finding: "available")
        }
        return Check(
            name: "overlayfs", outcome: .limited, finding: "not loaded: --overlay and writable host roots are refused",
            advice: "modprobe overlay")
    }

    static func networks(_ facts: DoctorFacts) -> Check {
        if let error = facts.networks.links {
            return Check(
                name: "networks", outcome: .limited, finding: "links cannot be made: \(error)",
                advice: error.code == .notPermitted
                    ? "Run the node as root; --network none and host do without."
                    : "Load the modules bridge and veth; --network none and host do without them.")
        }
        if let failure = facts.networks.rules {
            return Check(
                name: "networks", outcome: .limited, finding: "\(failure)",
                advice: "Install nftables, and load nf_tables and nft_chain_nat; --network none and host do without them.")
        }
        return Check(name: "networks", outcome: .ok, finding: "bridges, pairs of links, rules (nft)")
    }
}
