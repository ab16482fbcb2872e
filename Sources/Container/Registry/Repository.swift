internal import Images
package import OCI

/// A repository of a registry: what a reference names, once it is known which registry is asked.
///
/// Invariants
/// 1. `path` is a name of the distribution specification, so that it can be part of an address as it is.
///    (test: `a repository's name cannot leave its place in an address`)
package struct Repository: Hashable, Sendable, CustomStringConvertible {
    /// The host with its port, as references name it.
    package let registry: String
    package let path: String

    /// The repository of a name.
    ///
    /// - Parameter registry: asked for names without a host; nil: there is no such registry.
    /// - Throws: `RegistryFailure` of kind `badRequest`.
    package init(of reference: Reference, default registry: String?) throws(RegistryFailure) {
        guard let host = reference.host ?? registry else {
            throw RegistryFailure(
                .badRequest,
                "\"\(reference)\" names no registry, and this node has no default one. Write HOST/\(reference), or "
                    + "start the node with --registry HOST (or FORKLESS_REGISTRY)")
        }
        try self.init(registry: host, path: reference.path)
    }

    /// - Throws: `RegistryFailure` of kind `badRequest`.
    package init(registry: String, path: String) throws(RegistryFailure) {
        guard WebAddress(registry: registry, isSecure: true) != nil else {
            throw RegistryFailure(.badRequest, "\(registry.debugDescription) is no host of a registry")
        }
        // A name below a host, so that its first component is not taken for one.
        guard let name = try? Reference("host.example/\(path)"), name.path == path else {
            throw RegistryFailure(
                .badRequest,
                "\(path.debugDescription) is no repository: words of a-z and 0-9, joined by \".\", \"_\", \"__\" or "
                    + "dashes, with \"/\" between them, 255 characters at most")
        }
        self.registry = registry
        self.path = path
    }

    package var description: String { "\(registry)/\(path)" }

    /// Whether a text is a tag of the distribution specification.
    package static func isTag(_ text: String) -> Bool { (try? Reference("name:\(text)"))?.tag == text }
}

extension Digest {
    /// Whether it is the digest of these bytes.
    func matches(_ bytes: [UInt8]) -> Bool { self == Digest(of: bytes, algorithm) }
}
