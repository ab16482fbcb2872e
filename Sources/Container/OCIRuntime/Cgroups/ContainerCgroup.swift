import Linux
import MessageBus
import OCI
import RuntimeCgroups

/// Makes the cgroup of a new container: by itself in the cgroup file systems, or as a scope of systemd.
///
/// Invariant: whatever instant the runtime is killed at, the container's directory says which scope there may be.
/// (test: `a container's cgroup is a scope that systemd made, and goes with it`)
struct ContainerCgroup {
    let layout: RuntimeCgroupLayout
    let choice: CgroupChoice
    /// Whether `choice` is that of a runtime without the machine's root; asked once, since the kernel has to be asked.
    let isRootless: Bool
    let directory: StateDirectory
    let report: Report

    /// - Returns: the cgroup with its limits set, and who keeps the scope until the container's process is in it.
    func make(_ spec: RuntimeSpec) throws(RuntimeFailure) -> (cgroup: RuntimeCgroup, placeholder: Placeholder?) {
        if choice.usesSystemd { return try makeScope(spec) }
        let cgroup = try attempt("make the container's cgroup") { () throws(SystemError) in
            var cgroup = try plan(spec.linux.cgroupsPath, spec)
            try cgroup.make()
            return try limited(cgroup, spec)
        }
        return (cgroup, nil)
    }

    /// Makes what a process can be born in; `finish` and `limit` do the rest of `make`.
    func begin(_ spec: RuntimeSpec) throws(RuntimeFailure) -> RuntimeCgroup {
        try attempt("make the container's cgroup") { () throws(SystemError) in
            var cgroup = try plan(spec.linux.cgroupsPath, spec)
            try cgroup.makeBirthplace()
            return cgroup
        }
    }

    /// Makes all of one that has been begun.
    func finish(_ cgroup: inout RuntimeCgroup) throws(RuntimeFailure) {
        do throws(SystemError) { try cgroup.make() } catch {
            throw RuntimeFailure(error).during("make the container's cgroup")
        }
    }

    /// Sets the limits.
    func limit(_ cgroup: inout RuntimeCgroup, _ spec: RuntimeSpec) throws(RuntimeFailure) {
        do throws(SystemError) { try cgroup.apply(spec.linux.resources ?? Resources()) } catch {
            throw RuntimeFailure(error).during("make the container's cgroup")
        }
    }

    private func plan(_ path: String?, _ spec: RuntimeSpec) throws(SystemError) -> RuntimeCgroup {
        try RuntimeCgroup.plan(
            path: path, id: directory.id, resources: spec.linux.resources, layout: layout,
            mayLack: isRootless)
    }

    /// One that cannot be limited goes again.
    private func limited(_ made: RuntimeCgroup, _ spec: RuntimeSpec) throws(SystemError) -> RuntimeCgroup {
        var cgroup = made
        do { try cgroup.apply(spec.linux.resources ?? Resources()) } catch {
            try? cgroup.remove()
            throw error
        }
        return cgroup
    }

    private func makeScope(_ spec: RuntimeSpec) throws(RuntimeFailure) -> (RuntimeCgroup, Placeholder?) {
        let isUser = isRootless
        let unit = try attempt { () throws(SystemError) in
            try SystemdUnit(spec.linux.cgroupsPath, id: directory.id, isUser: isUser)
        }
        let manager = try asking { () throws(BusFailure) in try SystemdManager(isUser: isUser) }
        let limits = try attempt("make the container's scope") { () throws(SystemError) in
            try SystemdProperties(
                spec.linux.resources ?? Resources(), isUnified: layout.isUnified, version: manager.version,
                hasDevices: true
            ).list
        }
        let annotated = try attempt { () throws(SystemError) in try SystemdAnnotations(spec.annotations) }
        for name in annotated.ignored {
            report.warn("the annotation \(name) is not applied: it is not for the scope's end")
        }
        let placeholder = try Placeholder()
        let scope = ContainerScope(name: unit.name, isUser: isUser)
        do throws(RuntimeFailure) {
            var cgroup = try attempt { () throws(SystemError) in try plan(manager.controlGroup + unit.cgroup, spec) }
            try directory.write(scope)
            let common = SystemdProperties.scope(
                unit, id: directory.id, process: placeholder.pid, isUnified: layout.isUnified)
            try asking("start \(unit.name)") { () throws(BusFailure) in
                try manager.start(unit.name, common + limits + annotated.properties)
            }
            let made = try attempt("make the container's cgroup") { () throws(SystemError) in
                try cgroup.make(beside: placeholder.pid)
                return try limited(cgroup, spec)
            }
            return (made, placeholder)
        } catch {
            placeholder.end()
            throw error
        }
    }
}
