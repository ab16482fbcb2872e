package import Engine
package import JSON
import Networking

/// A container of the node that is to run on a cluster.
package struct ExportedContainer: Sendable {
    package var name: String
    /// As recorded: with what its image proposes.
    package var spec: ContainerSpec
    package var phase: ContainerPhase
    /// Names under which others in its networks find it, besides its own.
    package var aliases: [String]
    /// Whether there are others that find it by its name: not in the network that all have.
    let isFoundByName: Bool

    package init(name: String, spec: ContainerSpec, phase: ContainerPhase) {
        self.name = name
        self.spec = spec
        self.phase = phase
        var aliases: [String] = []
        var isFoundByName = false
        if case .joined(let networks)? = spec.network {
            aliases = networks.flatMap(\.aliases)
            isFoundByName = networks.contains { $0.network != NetworkDefinition.defaultName }
        }
        self.aliases = aliases
        self.isFoundByName = isFoundByName
    }

    /// All names under which others find it.
    var names: [String] { (isFoundByName ? [name] : []) + aliases }

    /// Whether a container is a pod's: its manifest is with the API that made it.
    package static func isOfPod(name: String, labels: [String: String]) -> Bool {
        name.hasPrefix("k8s_") && labels["io.kubernetes.pod.uid"] != nil
    }
}

/// Objects for a cluster, and what a reader has to know of them.
package struct ExportedManifests: Sendable {
    package var objects: [JSONValue] = []
    /// What is different there, or could not be said: a sentence each.
    package var remarks: [String] = []

    package init() {}
}

/// Why something cannot run on a cluster.
package struct ExportFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
