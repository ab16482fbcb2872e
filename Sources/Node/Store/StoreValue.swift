/// A value of a column.
package enum StoreValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

extension StoreValue: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    package init(nilLiteral: ()) { self = .null }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(_ value: Int) { self = .integer(Int64(value)) }
    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    package init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
}

/// A row of an answer, its columns in the order of the statement.
package struct StoreRow: Hashable, Sendable {
    package var values: [StoreValue]

    package init(_ values: [StoreValue]) { self.values = values }

    package func text(_ column: Int) -> String? { if case .text(let text) = values[column] { text } else { nil } }
    package func integer(_ column: Int) -> Int? { if case .integer(let number) = values[column] { Int(number) } else { nil } }
    package func blob(_ column: Int) -> [UInt8]? { if case .blob(let bytes) = values[column] { bytes } else { nil } }
}

/// Why the database could not do something: what was tried, on which file, and why.
package struct StoreFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// No room on the disk.
        case full
        /// The file is no database, or is damaged.
        case damaged
        /// Too many changes wait for the disk already, or the database has been closed: nothing was done.
        case refused
        case other
    }

    package var kind: Kind
    package var sentence: String

    package init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        self.sentence = sentence
    }

    package var description: String { sentence }
}
