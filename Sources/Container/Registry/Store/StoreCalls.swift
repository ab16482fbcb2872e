package import Images

/// Runs a call on the store where it may block.
func onDisk<Value: Sendable>(
    _ body: @escaping @Sendable () throws(ImageFailure) -> Value
) async throws(RegistryFailure) -> Value {
    do throws(ImageFailure) { return try await Blocking.run(body) } catch { throw RegistryFailure(error) }
}

extension RegistryFailure {
    /// What the store says about something from a registry.
    package init(_ failure: ImageFailure) {
        switch failure {
        case .wrongDigest, .wrongSize, .wrongLayer, .document, .unusable: self.init(.untrustworthy, "\(failure)")
        case .unknownImage: self.init(.notFound, "\(failure)")
        case .name, .ambiguous: self.init(.badRequest, "\(failure)")
        case .system, .missingBlob, .inUse: self.init(.storage, "\(failure)")
        }
    }
}
