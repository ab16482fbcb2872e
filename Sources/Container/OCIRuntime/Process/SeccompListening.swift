import JSON
import Linux
import OCI
import RuntimeSeccomp
import Spawn

/// The filter of a container's processes, and the agent that answers for it.
enum SeccompListening {
    /// The compiled filter of a configuration; nil where it has none.
    static func filter(_ spec: SeccompSpec?, report: Report) throws(RuntimeFailure) -> ProcessSteps.Filter? {
        guard let spec else { return nil }
        do {
            let filter = try ContainerFilter(spec)
            if !filter.skippedNames.isEmpty {
                report.debug("linux.seccomp: no such system calls here: \(filter.skippedNames.joined(separator: ", "))")
            }
            return ProcessSteps.Filter(program: filter.program, flags: filter.flags, hasListener: filter.hasListener)
        } catch { throw RuntimeFailure("linux.seccomp: \(error)") }
    }

    /// Takes the listener from the child and gives it to the agent at `listenerPath` (config-linux.md, "The Container
    /// Process State").
    static func handOver(
        from launch: SteeredLaunch, _ spec: SeccompSpec, _ state: RuntimeState
    ) throws(RuntimeFailure) {
        let sent = try spawning { () throws(SpawnError) in try launch.awaitWord() }
        guard let listener = sent.first, let path = spec.listenerPath else {
            throw RuntimeFailure("linux.seccomp: the filter has no listener, or there is no listenerPath")
        }
        try attempt("send the seccomp listener to \(path)") { () throws(SystemError) in
            let socket = try StreamSocket.connect(to: path)
            let text = JSONWriter.bytes(state.listenerState(pid: launch.pid, metadata: spec.listenerMetadata))
            try MessageSocket.send(text, descriptors: [listener.raw], to: socket.raw)
        }
    }
}
