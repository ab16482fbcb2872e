/// A zip archive as a test wants it, sound or not: entries are stored, and every field can be another than it should be.
package struct TestZip: Sendable {
    package struct Entry: Sendable {
        package var name: String
        package var content: [UInt8]
        /// st_mode; nil: from a system that has none.
        package var mode: UInt32?
        /// What the headers say where it is not the truth.
        package var ownName: String?
        package var checkSum: UInt32?
        package var size: UInt32?
        package var method: UInt16 = 0
        package var flags: UInt16 = 0x0800
        package var place: UInt32?
        package var extra: [UInt8] = []

        package init(_ name: String, _ content: String = "", mode: UInt32? = 0o100644) {
            self.name = name
            self.content = Array(content.utf8)
            self.mode = name.hasSuffix("/") && mode == 0o100644 ? 0o040755 : mode
        }

        package static func link(_ name: String, to target: String) -> Entry { Entry(name, target, mode: 0o120777) }
    }

    package var entries: [Entry]
    package var comment = ""
    /// Added to what the end of the archive says.
    package var extraEntries = 0
    package var extraDirectoryBytes = 0

    package init(_ entries: [Entry]) { self.entries = entries }

    /// Files with their contents.
    package init(files: KeyValuePairs<String, String>) { entries = files.map { Entry($0.key, $0.value) } }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let place = UInt32(bytes.count)
            let name = Array((entry.ownName ?? entry.name).utf8)
            bytes += Self.word(0x0403_4B50) + Self.common(entry) + Self.short(UInt16(name.count)) + Self.short(0)
            bytes += name + entry.content
            let system: UInt16 = entry.mode == nil ? 0 : 3
            let ownName = Array(entry.name.utf8)
            directory += Self.word(0x0201_4B50) + Self.short(system << 8 | 30) + Self.common(entry)
            directory += Self.short(UInt16(ownName.count)) + Self.short(UInt16(entry.extra.count))
            directory += Self.short(0) + Self.short(0) + Self.short(0)
            directory += Self.word((entry.mode ?? 0) << 16) + Self.word(entry.place ?? place) + ownName + entry.extra
        }
        let count = UInt16(truncatingIfNeeded: entries.count + extraEntries)
        let start = UInt32(bytes.count)
        bytes += directory + Self.word(0x0605_4B50) + Self.word(0) + Self.short(count) + Self.short(count)
        bytes += Self.word(UInt32(directory.count + extraDirectoryBytes)) + Self.word(start)
        return bytes + Self.short(UInt16(comment.utf8.count)) + comment.utf8
    }

    private static func common(_ entry: Entry) -> [UInt8] {
        let size = UInt32(entry.content.count)
        // 2026-11-29 03:00, as DOS has it.
        let time = short(3 << 11) + short((2026 - 1980) << 9 | 11 << 5 | 29)
        return short(20) + short(entry.flags) + short(entry.method) + time + word(entry.checkSum ?? sum(entry.content))
            + word(size) + word(entry.size ?? size)
    }

    package static func short(_ value: UInt16) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8)] }

    package static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * UInt32($0)) & 255) } }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    /// CRC-32, RFC 1952 section 8.
    package static func sum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(($0 ^ UInt32($1)) & 255)] }
    }
}
