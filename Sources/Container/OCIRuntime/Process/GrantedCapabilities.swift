import Linux
import OCI

/// The capabilities that this process can give away: without a user namespace those that it has itself, since capset(2)
/// refuses the others. config.md, "capabilities": what cannot be granted is warned of and is no failure.
enum GrantedCapabilities {
    /// The process with what can be granted; warns of the rest.
    static func cut(_ process: ProcessSpec, report: Report) throws(RuntimeFailure) -> ProcessSpec {
        guard let wanted = process.capabilities else { return process }
        let own = try attempt { () throws(SystemError) in try Capabilities.permitted() }
        let missing = wanted.names(beyond: own)
        guard !missing.isEmpty else { return process }
        report.warn("process.capabilities: the runtime cannot grant \(missing.joined(separator: ", "))")
        var process = process
        process.capabilities = wanted.cut(to: own)
        return process
    }
}

extension CapabilitySpec {
    /// What none of the sets can have, in the order of the alphabet. Names that nobody knows are another's warning.
    func names(beyond own: Capabilities) -> [String] {
        let all = bounding + effective + inheritable + permitted + ambient
        return Set(all.filter { !Self.isGranted($0, own) }).sorted()
    }

    /// The sets without what is not in `own`.
    func cut(to own: Capabilities) -> CapabilitySpec {
        var sets = self
        sets.bounding.removeAll { !Self.isGranted($0, own) }
        sets.effective.removeAll { !Self.isGranted($0, own) }
        sets.inheritable.removeAll { !Self.isGranted($0, own) }
        sets.permitted.removeAll { !Self.isGranted($0, own) }
        sets.ambient.removeAll { !Self.isGranted($0, own) }
        return sets
    }

    private static func isGranted(_ name: String, _ own: Capabilities) -> Bool {
        guard name != "ALL", let capability = Capabilities(name: name) else { return true }
        return own.isSuperset(of: capability)
    }
}
