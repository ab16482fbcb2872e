import JSON
import Linux
import OCI
import RuntimeCgroups
import RuntimeSeccomp

extension Verbs {
    /// `features`: what this runtime knows.
    func features() throws(RuntimeFailure) {
        try say(
            RuntimeFeatures.json(
                version: RuntimeProgram.version, architectures: ContainerFilter.architectures,
                flags: ContainerFilter.supportedFlags, annotations: SystemdAnnotations.names))
    }
}
