import OCI

extension Index {
    /// The manifest for a platform.
    ///
    /// - Parameter name: of the image, for messages.
    /// - Throws: `RegistryFailure` that names what there is.
    func choice(for platform: Platform, name: String) throws(RegistryFailure) -> Descriptor {
        if let manifest = manifest(for: platform) { return manifest }
        // Attestations stand in an index as the platform "unknown/unknown".
        let there = Set(manifests.compactMap(\.platform).filter { $0.os != "unknown" }.map(\.description)).sorted()
        throw RegistryFailure(
            .notFound,
            "\(name) is not there for \(platform); it is there for "
                + (there.isEmpty ? "no platform that it names" : there.joined(separator: ", ")))
    }
}
