/// The members of a JSON object in their order, with look-up by name.
///
/// Invariants (each with a test in JSONObjectTests):
/// 1. No name stands twice. Names are compared by their UTF-8.
/// 2. A new name goes to the end; a name that gets a new value keeps its place.
/// 3. Look-up in an object of many members takes constant time: above `linearLimit` there is an index.
package struct JSONObject: Sendable {
    /// A name with its value.
    package struct Member: Sendable {
        package let key: String
        package var value: JSONValue
        /// A few bits that differ between most names: they spare the comparison of strings.
        let mark: UInt32

        init(key: String, value: JSONValue, mark: UInt32) {
            self.key = key
            self.value = value
            self.mark = mark
        }
    }

    /// Up to this many members a scan is faster than hashing (measured: about the same at 16), and most objects
    /// of an API are smaller.
    static let linearLimit = 16

    /// All members in their order.
    package private(set) var members: [Member] = []
    /// Where each name is; empty up to `linearLimit` members.
    private var index: [Name: Int] = [:]

    package init() {}

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }

    /// The names in their order.
    package var keys: [String] { members.map(\.key) }

    /// The value of a name; nil when there is no such member. Setting nil removes the member.
    package subscript(key: String) -> JSONValue? {
        get {
            guard let at = position(of: key, mark: Self.mark(of: key)) else { return nil }
            return members[at].value
        }
        _modify {
            let mark = Self.mark(of: key)
            let at = position(of: key, mark: mark)
            // The value is moved out while it is changed: a copy left behind would make every nested write
            // copy what lies below it.
            var value: JSONValue?
            if let at {
                value = .null
                swap(&value!, &members[at].value)
            }
            defer {
                switch (at, value) {
                case (let at?, let value?): members[at].value = value
                case (let at?, nil): remove(at: at)
                case (nil, let value?): append(Member(key: key, value: value, mark: mark))
                case (nil, nil): break
                }
            }
            yield &value
        }
    }

    /// Whether there is a member of that name.
    package func contains(_ key: String) -> Bool { position(of: key, mark: Self.mark(of: key)) != nil }

    /// Changes every value, keeping names and order.
    package func mapValues<Failure>(
        _ transform: (JSONValue) throws(Failure) -> JSONValue
    ) throws(Failure) -> JSONObject {
        var result = self
        for at in result.members.indices { result.members[at].value = try transform(result.members[at].value) }
        return result
    }

    /// Sets a member whose mark is known: the parser has the bytes at hand.
    mutating func set(_ key: String, mark: UInt32, to value: JSONValue) {
        if let at = position(of: key, mark: mark) {
            members[at].value = value
        } else {
            append(Member(key: key, value: value, mark: mark))
        }
    }

    /// The length with the first and the last eight bytes. It only sorts out (names in one object differ in these);
    /// what counts is the comparison of the names themselves.
    static func mark(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        let raw = UnsafeRawBufferPointer(bytes)
        var mixed = UInt64(raw.count)
        if raw.count >= 8 {
            mixed ^= raw.loadUnaligned(as: UInt64.self)
            mixed = mixed &* 0x9E37_79B9_7F4A_7C15 ^ raw.loadUnaligned(fromByteOffset: raw.count - 8, as: UInt64.self)
        } else {
            for byte in raw { mixed = mixed << 8 ^ UInt64(byte) }
        }
        return UInt32(truncatingIfNeeded: (mixed &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }

    private static func mark(of key: String) -> UInt32 {
        key.utf8.withContiguousStorageIfAvailable { mark($0) } ?? Array(key.utf8).withUnsafeBufferPointer { mark($0) }
    }

    private func position(of key: String, mark: UInt32) -> Int? {
        if members.count > Self.linearLimit { return index[Name(text: key)] }
        return members.firstIndex { $0.mark == mark && haveSameBytes($0.key, key) }
    }

    private mutating func append(_ member: Member) {
        // Most objects have a few members: this spares the growth from 1 to 2 to 4.
        if members.isEmpty { members.reserveCapacity(4) }
        members.append(member)
        if members.count == Self.linearLimit + 1 {
            rebuildIndex()
        } else if members.count > Self.linearLimit {
            index[Name(text: member.key)] = members.count - 1
        }
    }

    private mutating func remove(at position: Int) {
        members.remove(at: position)
        rebuildIndex()
    }

    private mutating func rebuildIndex() {
        index.removeAll(keepingCapacity: true)
        guard members.count > Self.linearLimit else { return }
        for (at, member) in members.enumerated() { index[Name(text: member.key)] = at }
    }

    /// A name that is equal to another when its UTF-8 is. The hash is Swift's, seeded at random: names made to
    /// collide do not.
    private struct Name: Hashable {
        var text: String
        static func == (a: Name, b: Name) -> Bool { haveSameBytes(a.text, b.text) }
        func hash(into hasher: inout Hasher) { hasher.combine(text) }
    }
}

extension JSONObject: Hashable {
    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        guard a.count == b.count else { return false }
        return a.members.allSatisfy { member in b[member.key].map { $0 == member.value } ?? false }
    }

    package func hash(into hasher: inout Hasher) {
        // The order must not matter, so the members' hashes are added.
        var sum = 0
        for member in members {
            var one = Hasher()
            one.combine(member.key)
            one.combine(member.value)
            sum &+= one.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        for (key, value) in members { self[key] = value }
    }
}
