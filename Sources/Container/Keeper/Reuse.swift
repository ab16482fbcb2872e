import Linux
import Sandbox

// What a sandbox leaves that the next may have: its cgroup and its network namespace.
//
// Invariants
// 1. A cgroup is used again only for a sandbox of the same template, when everything in it has ended by itself: since
//    cgroup.kill was once written, Linux 6.14 and later kill whoever is born into it (CLONE_INTO_CGROUP), because the
//    kernel compares its count of kills with that of the parent's cgroup.
//    (test: `after a sandbox was killed the next of its plan starts as any other`) One that another sandbox may join is
//    nobody else's: the files that lead there are in its hands. (test: `the cgroup of a sandbox beneath another is not used again`)
// 2. A network namespace is used again only if its sandbox could change nothing in it but sockets, and left none.
//    (test: `a network namespace is passed on only without a trace of the one before`)

extension Keeper {
    /// Most network namespaces kept for the next sandbox.
    static let idleNetworkLimit = 64

    /// A cgroup with the template's limits: one that was used before, or a new one.
    func takeCgroup(_ entry: TemplateEntry) throws(SystemError) -> UsableCgroup? {
        guard let hierarchy else { return nil }
        if let idle = entry.idleCgroups.popLast() { return idle }
        let cgroup = try hierarchy.make("s\(nextCgroup)", entry.template.controllers)
        nextCgroup += 1
        do { try hierarchy.setLimits(entry.template.plan.limits, of: cgroup) } catch {
            remove(cgroup)
            throw error
        }
        return UsableCgroup(cgroup: cgroup)
    }

    /// The mount namespace of a child that waits, held out of the way; nil when it has none of its own.
    func mountNamespace(of child: Child) -> CInt? {
        guard child.template != nil, child.plan.namespaces.contains(.mount), let opened = try? Files.open("/proc/\(child.pid)/ns/mnt", 0) else {
            return nil
        }
        return (try? opened.duplicate(lowest: LongLived.lowestDescriptor))?.release()
    }

    /// Has a held mount namespace taken down.
    func takeDown(_ mounts: inout CInt?) {
        guard let number = mounts.take() else { return }
        janitor.close(OwnedFD(adopting: number))
    }

    /// Takes back what an ended sandbox had.
    func giveBack(_ program: Supervised, _ counted: CgroupUsage?) {
        takeDown(&program.mounts)
        if let network = program.network, idleNetworks.count < Self.idleNetworkLimit, let own = ownNetworkNamespace,
            (try? NetworkNamespace.isPristine(network.raw, own: own.raw)) == true
        {
            idleNetworks.append(network)
        }
        guard let cgroup = program.cgroup else { return }
        if let entry = program.template, !entry.isDropped, entry.idleCgroups.count < TemplateEntry.idleCgroupLimit,
            program.hasPidNamespace, !program.cgroupWasKilled, !program.isOpened, !program.plan.isPrivileged, program.changedLimits == nil, let hierarchy, let counted,
            let baseline = try? hierarchy.reuse(cgroup, after: counted)
        {
            entry.idleCgroups.append(UsableCgroup(cgroup: cgroup, baseline: baseline))
        } else {
            remove(cgroup)
        }
    }

    /// The network namespace of a child that waits, held out of the way; nil when it cannot be had.
    func networkNamespace(of child: Child) -> SharedFD? {
        guard let opened = try? Files.open("/proc/\(child.pid)/ns/net", 0),
            let lasting = try? opened.duplicate(lowest: LongLived.lowestDescriptor)
        else { return nil }
        return SharedFD(lasting)
    }

    /// Removes a cgroup now or, when the kernel is not through with its processes yet, later.
    func remove(_ cgroup: Cgroup) {
        do { try hierarchy?.remove(cgroup) } catch {
            if error.code == .busy { lingering.append(cgroup) }
        }
    }

    func sweepLingering() {
        guard !lingering.isEmpty else { return }
        let waiting = lingering
        lingering = []
        for cgroup in waiting { remove(cgroup) }
    }
}
