package import Engine
package import JSON

/// A container of the node that is to run on a cluster.
package struct ExportedContainer: Sendable {
    package var name: String
    /// As recorded: with what its image proposes.
    package var spec: ContainerSpec
    package var phase: ContainerPhase
    /// Names under which others in its networks find it.
    package var aliases: [String]

    package init(name: String, spec: ContainerSpec, phase: ContainerPhase) {
        self.name = name
        self.spec = spec
        self.phase = phase
        var aliases: [String] = []
        if case .joined(let networks)? = spec.network { aliases = networks.flatMap(\.aliases) }
        self.aliases = aliases
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
