internal import struct Crypto.SHA256
internal import JSON
package import Linux
internal import Store

/// Where the chain of hashes stands.
package struct ChainHead: Hashable, Sendable {
    /// Of the last record; 0 before the first.
    package var sequence: Int
    /// 32 bytes; all zero before the first record.
    package var hash: [UInt8]
    /// When the last record was written.
    package var recordedAt: Timestamp

    package static let start = ChainHead(
        sequence: 0, hash: [UInt8](repeating: 0, count: 32), recordedAt: Timestamp(nanoseconds: 0))

    package init(sequence: Int, hash: [UInt8], recordedAt: Timestamp) {
        self.sequence = sequence
        self.hash = hash
        self.recordedAt = recordedAt
    }

    /// The hash of the next record: SHA-256 over the hash before it (32 bytes) and its canonical bytes.
    package static func hash(_ canonicalBytes: [UInt8], after previous: [UInt8]) -> [UInt8] {
        var function = SHA256()
        previous.withUnsafeBytes { function.update(bufferPointer: $0) }
        canonicalBytes.withUnsafeBytes { function.update(bufferPointer: $0) }
        return Array(function.finalize())
    }

    /// Where the chain in the database ends.
    static func read(_ store: any StoreTransaction) throws(StoreFailure) -> ChainHead {
        let row = try store.first("SELECT sequence, hash, recorded FROM ledger ORDER BY sequence DESC LIMIT 1")
        guard let row else { return start }
        guard let sequence = row.integer(0), let hash = row.blob(1), let recorded = row.integer(2) else {
            throw StoreFailure(.damaged, "go on with the ledger: its last record is damaged. `forkless ledger verify` says more.")
        }
        return ChainHead(sequence: sequence, hash: hash, recordedAt: Timestamp(nanoseconds: recorded))
    }
}

extension Hexadecimal {
    static func sha256(_ bytes: [UInt8]) -> String { text(Array(SHA256.hash(data: bytes))) }
}
