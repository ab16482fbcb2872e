/// What is wrong with a ledger, at the first place where it shows.
package struct LedgerFault: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A record, or its hash, was changed.
        case changed
        /// A record is missing between others.
        case removed
        /// A record stands where none or another one belongs.
        case inserted
        /// The end is missing.
        case cutOff = "cut-off"
        /// Records were replaced together with their hashes.
        case rewritten
        /// What was kept of a payload or an answer is not what the record says.
        case contents
        /// The sums are not those of the records.
        case totals
    }

    package var kind: Kind
    /// The number of the record.
    package var sequence: Int
    package var reason: String

    package init(_ kind: Kind, _ sequence: Int, _ reason: String) {
        self.kind = kind
        self.sequence = sequence
        self.reason = reason
    }

    package var description: String { "record \(sequence): \(reason) (\(kind.rawValue))" }
}
