package import Store

extension Metering {
    /// Where the database of a state directory is.
    package static func database(state: String) -> String { state + "/node.db" }

    /// Where the head of the ledger is noted beside it.
    package static func headFile(state: String) -> String { state + "/functions/ledger.head" }
}

extension LedgerVerification {
    /// Reads the ledger in a state directory, whether or not a node runs there. Changes nothing.
    package static func verify(
        state: String, noted: [LedgerHeads.Anchor] = []
    ) async throws(StoreFailure) -> LedgerVerification {
        try await verify(
            try StateDatabase(reading: Metering.database(state: state)), headFile: Metering.headFile(state: state), noted: noted)
    }
}
