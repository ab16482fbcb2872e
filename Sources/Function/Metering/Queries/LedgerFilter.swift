internal import JSON
package import Linux

/// Which records are wanted.
package struct LedgerFilter: Hashable, Sendable {
    package var function: String?
    package var version: String?
    package var requestID: String?
    package var key: String?
    package var orderKey: String?
    /// One of `MeteredCall.Outcome.names`.
    package var outcome: String?
    package var source: String?
    /// Recorded then or later.
    package var from: Timestamp?
    /// Recorded before then.
    package var to: Timestamp?

    package init() {}

    /// Which side of a span of time a text bounds.
    package enum Bound: Sendable { case from, to }

    /// What a person means with a text: a time (RFC 3339), or a day in UTC, with which `from` begins and `to` ends.
    package static func time(_ text: String, as bound: Bound) -> Timestamp? {
        guard let day = Day(text) else { return Timestamp(text) }
        return bound == .from ? day.start : day.end
    }

    /// Whether a record is wanted, its time apart.
    func wants(_ record: LedgerRecord) -> Bool {
        guard function == nil || function == record.entry.function else { return false }
        guard let call = record.entry.call else {
            return version == nil && requestID == nil && key == nil && orderKey == nil && outcome == nil && source == nil
        }
        return (version == nil || version == call.version) && (requestID == nil || requestID == call.requestID)
            && (key == nil || key == call.key) && (orderKey == nil || orderKey == call.orderKey)
            && (outcome == nil || outcome == call.outcome.name) && (source == nil || source == call.source)
    }
}

/// A record as it stands in the database.
package struct StoredRecord: Hashable, Sendable {
    package var record: LedgerRecord
    /// What the hash is made over.
    package var canonicalBytes: [UInt8]
    package var previousHash: [UInt8]
    package var hash: [UInt8]

    /// One line of JSON: the record as it is hashed, the hash before it and its own.
    package var jsonLine: [UInt8] {
        Array("{\"record\":".utf8) + canonicalBytes
            + Array(",\"previous\":\"\(Hexadecimal.text(previousHash))\",\"hash\":\"\(Hexadecimal.text(hash))\"}\n".utf8)
    }
}
