import Linux
package import Spawn

/// The step program of a child that enters a sandbox which runs.
///
/// It holds what the sandbox's own programs hold and nothing more: the same capabilities, filter and limits. The
/// inheritable set is empty, so that nothing is gained by executing a file with capabilities (CVE-2022-29162).
package struct EnteringProgram: Sendable {
    private let source: SandboxProgram
    private let compiled: CompiledProgram

    package init(_ plan: SandboxPlan, joinCount: Int, terminal: Bool) {
        source = SandboxProgram(entering: plan, joinCount: joinCount, terminal: terminal)
        compiled = CompiledProgram(source.program)
    }

    /// Starts the child; the caller has seen to the pid namespace.
    ///
    /// - Parameter sandbox: the sandbox's first process, by descriptor.
    package func start(
        in cgroup: Cgroup?, of hierarchy: CgroupHierarchy?, sandbox: SharedFD
    ) throws(SpawnError) -> ParkedLaunch {
        let place = try CgroupPlace(cgroup, of: hierarchy)
        let filled =
            [(slot: source.baseNamespace, descriptor: sandbox)]
            + zip(source.joins, place.entries).map { (slot: $0, descriptor: $1) }
        return try ParkedLaunch(compiled, parkingAt: source.socket, filled: filled, cgroup: place.birth)
    }
}
