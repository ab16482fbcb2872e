/// FNV-1a with 64 bits (draft-eastlake-fnv): hashes that are the same in every process, which Swift's are not.
package struct FNV1a: Hashable, Sendable {
    /// Its low bits are the weak ones.
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}
    package init(_ text: String) { add(text.utf8) }

    package mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    /// 16 hexadecimal digits.
    package var digits: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
