/// The fields that an entry of the central directory has beyond the fixed ones.
struct ZipExtra {
    /// Seconds since 1970, of the field 0x5455 that Info-ZIP writes.
    private(set) var modified: Int?
    private var wide: [Int] = []

    init(_ archive: ZipBytes, _ start: Int, _ length: Int, entry: String) throws(ArchiveFailure) {
        var at = start
        let end = start + length
        // Some tools pad with up to three bytes.
        while at + 4 <= end {
            let (id, size) = (try archive.short(at), try archive.short(at + 2))
            guard at + 4 + size <= end else {
                throw ArchiveFailure(.damaged, entry: entry, "its extra fields have no end.")
            }
            if id == 0x0001 {
                for field in stride(from: at + 4, to: at + 4 + size - size % 8, by: 8) { wide.append(try archive.number(field, 8)) }
            }
            if id == 0x5455, size >= 5, archive.bytes[at + 4] & 1 != 0 {
                modified = Int(Int32(truncatingIfNeeded: try archive.word(at + 5)))
            }
            at += 4 + size
        }
    }

    /// Puts 64-bit numbers in the place of those that are full, in the order of APPNOTE 4.5.3.
    func widen(_ size: inout Int, _ compressed: inout Int, _ place: inout Int, entry: String) throws(ArchiveFailure) {
        var left = wide[...]
        func next(_ value: Int) throws(ArchiveFailure) -> Int {
            guard value == 0xFFFF_FFFF else { return value }
            guard let wide = left.popFirst() else {
                throw ArchiveFailure(.damaged, entry: entry, "its size is said to be in a zip64 field that it does not have.")
            }
            return wide
        }
        size = try next(size)
        compressed = try next(compressed)
        place = try next(place)
    }
}
