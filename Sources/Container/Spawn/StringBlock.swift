/// A list of byte strings in one block, each ended by NUL: how `execve` wants arguments and environment.
///
/// Arguments need not be UTF-8; what came as bytes stays as it is.
public struct StringBlock: Hashable, Sendable, ExpressibleByArrayLiteral {
    /// Every string with its NUL, one after the other.
    public private(set) var bytes: [UInt8]
    /// How many strings there are.
    public private(set) var count: Int

    public init() {
        bytes = []
        count = 0
    }

    /// - Precondition: no string holds a NUL; check what comes from outside with `init(checking:)`.
    public init(_ strings: [String]) {
        self.init()
        bytes.reserveCapacity(strings.reduce(0) { $0 + $1.utf8.count + 1 })
        for string in strings { append(string) }
    }

    public init(arrayLiteral elements: String...) { self.init(elements) }

    /// The same for texts from outside: nil when one holds a NUL, which no program could be given.
    public init?(checking strings: [String]) {
        guard !strings.contains(where: { $0.utf8.contains(0) }) else { return nil }
        self.init(strings)
    }

    /// Takes over a block as it came in a message; nil unless it is empty or ends with NUL.
    public init?(bytes: [UInt8]) {
        guard bytes.isEmpty || bytes.last == 0 else { return nil }
        self.bytes = bytes
        count = bytes.reduce(0) { $1 == 0 ? $0 + 1 : $0 }
    }

    public mutating func append(_ string: String) {
        precondition(!string.utf8.contains(0), "a program's argument holds no NUL")
        bytes += string.utf8
        bytes.append(0)
        count += 1
    }

    public static func + (a: StringBlock, b: StringBlock) -> StringBlock {
        var sum = a
        sum.bytes += b.bytes
        sum.count += b.count
        return sum
    }

    /// The strings, with what is not UTF-8 replaced.
    public var strings: [String] {
        bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The first string.
    public var first: String? {
        count == 0 ? nil : String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension StringBlock: Sequence {
    /// The strings as bytes, without their NUL.
    public func makeIterator() -> some IteratorProtocol<ArraySlice<UInt8>> {
        bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().makeIterator()
    }

    /// Appends a string that came as bytes.
    ///
    /// - Precondition: it holds no NUL.
    public mutating func append(_ string: ArraySlice<UInt8>) {
        precondition(!string.contains(0), "a program's argument holds no NUL")
        bytes += string
        bytes.append(0)
        count += 1
    }
}
