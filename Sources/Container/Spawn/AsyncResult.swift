/// Results of async functions with typed errors, which the standard library makes of synchronous ones only.
extension Result where Success: Sendable {
    init(_ body: () async throws(Failure) -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
