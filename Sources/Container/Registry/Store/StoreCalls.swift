package import Images
import Linux

/// Runs a call on the store where it may block.
func onDisk<Value: Sendable>(
    _ body: @escaping @Sendable () throws(ImageFailure) -> Value
) async throws(RegistryFailure) -> Value {
    let result: Result<Value, ImageFailure>
    do throws(SystemError) {
        result = try await BlockingPool.shared.run { () throws(SystemError) in
            Result { () throws(ImageFailure) in try body() }
        }
    } catch { throw RegistryFailure(.storage, "\(error)") }
    do throws(ImageFailure) { return try result.get() } catch { throw RegistryFailure(error) }
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
