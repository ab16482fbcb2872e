internal import OCI

/// The parts of an image on their way, several at once, in either direction.
///
/// A manifest may name a layer twice (the empty one, for instance); it travels once.
struct PartTransfer: Sendable {
    /// How many parts travel at once.
    let limit: Int
    let progress: @Sendable (TransferEvent) async -> Void
    /// Moves one part; returns why it failed.
    let move: @Sendable (Descriptor) async -> RegistryFailure?

    /// Moves every part; the first that fails ends the others.
    func run(_ contents: [Descriptor]) async throws(RegistryFailure) {
        var seen: Set<Digest> = []
        let parts = contents.filter { seen.insert($0.digest).inserted }
        for part in parts { await progress(TransferEvent(part, .waiting)) }
        let failure = await withTaskGroup(of: RegistryFailure?.self) { group -> RegistryFailure? in
            var rest = parts[...]
            var failure: RegistryFailure?
            for _ in 0..<limit {
                if let part = rest.popFirst() { group.addTask { await move(part) } }
            }
            for await failed in group {
                if let failed {
                    // What fails after the first has been cancelled by it.
                    failure = failure ?? failed
                    group.cancelAll()
                } else if failure == nil, let part = rest.popFirst() {
                    group.addTask { await move(part) }
                }
            }
            return failure
        }
        if let failure { throw failure }
    }
}
