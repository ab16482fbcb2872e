package import Linux

/// What a record of the ledger says.
package enum LedgerEntry: Hashable, Sendable {
    /// A call has ended.
    case call(MeteredCall)
    /// Instances were kept ready for a while.
    case provisioned(ProvisionedCapacity)
    /// So many calls ended while the database could not be written and no more could wait: nothing more is known of them.
    case lost(calls: Int)

    /// The function that it belongs to; empty for none.
    package var function: String {
        switch self {
        case .call(let call): call.function
        case .provisioned(let capacity): capacity.function
        case .lost: ""
        }
    }

    package var call: MeteredCall? { if case .call(let call) = self { call } else { nil } }
}

/// Instances that were kept ready for a version, whether or not they were called: provisioned concurrency.
package struct ProvisionedCapacity: Hashable, Sendable {
    package var function: String
    package var version: String
    package var memoryMB: Int
    package var instances: Int
    package var from: Timestamp
    package var to: Timestamp

    package init(
        function: String, version: String, memoryMB: Int, instances: Int, from: Timestamp, to: Timestamp
    ) {
        self.function = function
        self.version = version
        self.memoryMB = memoryMB
        self.instances = instances
        self.from = from
        self.to = to
    }

    /// What is priced, in MB milliseconds; a span that runs backwards is none.
    package var megabyteMilliseconds: Int {
        let span = to.nanoseconds.clampedAdding(from.nanoseconds == .min ? .max : -from.nanoseconds)
        return max(0, span / 1_000_000).clampedMultiplying(by: memoryMB).clampedMultiplying(by: instances)
    }
}

/// A record: an entry at its place in the chain.
package struct LedgerRecord: Hashable, Sendable {
    /// 1 for the first, without gaps.
    package var sequence: Int
    /// When it was written; never before the record before it.
    package var recordedAt: Timestamp
    package var entry: LedgerEntry

    package init(sequence: Int, recordedAt: Timestamp, entry: LedgerEntry) {
        self.sequence = sequence
        self.recordedAt = recordedAt
        self.entry = entry
    }
}
