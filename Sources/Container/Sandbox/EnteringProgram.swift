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
        in cgroup: Cgroup?, of hierarchy: CgroupHierarchy?, sandbox: CInt
    ) throws(SpawnError) -> PreparingSandbox {
        var filled = [(source.baseNamespace, sandbox)]
        guard let cgroup, let hierarchy else {
            return PreparingSandbox(try launch(filled, placement: -1), held: [])
        }
        let entries = try SandboxTemplate.spawning { () throws(SystemError) in
            try hierarchy.joinDescriptors(of: cgroup)
        }
        for (slot, raw) in zip(source.joins, entries.raws) { filled.append((slot, raw)) }
        let placement = try SandboxTemplate.spawning { () throws(SystemError) -> SharedFD? in
            guard let directory = try hierarchy.placement(of: cgroup) else { return nil }
            return SharedFD(directory)
        }
        let launched = try launch(filled, placement: placement?.raw ?? -1)
        return PreparingSandbox(launched, held: [], entries: entries)
    }

    private func launch(_ filled: [(Slot, CInt)], placement: CInt) throws(SpawnError) -> ParkedLaunch {
        try ParkedLaunch(compiled, parkingAt: source.socket, filled: filled, cgroup: placement)
    }
}
