package import Linux
package import Store
internal import Synchronization

/// What the last verification of a ledger found.
package final class LastVerification: Sendable {
    package struct Finding: Hashable, Sendable {
        package var at: Timestamp
        /// Records that are good.
        package var good: Int
        package var isFaulty: Bool
    }

    private let finding = Mutex<Finding?>(nil)

    /// nil before the first of this node.
    package var last: Finding? { finding.withLock { $0 } }

    func note(_ verification: LedgerVerification, at time: Timestamp) {
        finding.withLock { $0 = Finding(at: time, good: verification.good, isFaulty: verification.fault != nil) }
    }
}

extension Ledger {
    /// Reads all of it, what waits to be written included, and remembers what was found for metrics.
    ///
    /// - Parameters:
    ///   - headFile: ledger.head beside the database.
    ///   - noted: heads that somebody has noted elsewhere.
    package func verify(
        headFile: String, noted: [LedgerHeads.Anchor] = []
    ) async throws(StoreFailure) -> LedgerVerification {
        // What cannot be written now is not there to be verified.
        try? await flush()
        let verification = try await LedgerVerification.verify(database, headFile: headFile, noted: noted)
        verified.note(verification, at: now())
        return verification
    }
}
