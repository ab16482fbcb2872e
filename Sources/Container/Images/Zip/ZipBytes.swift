/// Little-endian numbers of a zip archive; whatever lies outside of the archive is an error.
struct ZipBytes {
    let bytes: [UInt8]

    var count: Int { bytes.count }

    func number(_ at: Int, _ width: Int) throws(ArchiveFailure) -> Int {
        guard at >= 0, at <= bytes.count - width else {
            throw ArchiveFailure(.damaged, "it ends where there should be more; it was cut off, or is no zip archive.")
        }
        var value: UInt64 = 0
        for index in (0..<width).reversed() { value = value << 8 | UInt64(bytes[at + index]) }
        // Sizes and offsets beyond this are none that an archive in memory can have.
        guard let number = Int(exactly: value) else {
            throw ArchiveFailure(.damaged, "it names a size or place of \(value) bytes.")
        }
        return number
    }

    func short(_ at: Int) throws(ArchiveFailure) -> Int { try number(at, 2) }

    func word(_ at: Int) throws(ArchiveFailure) -> Int { try number(at, 4) }

    func slice(_ at: Int, _ length: Int) throws(ArchiveFailure) -> ArraySlice<UInt8> {
        guard at >= 0, length >= 0, at <= bytes.count, length <= bytes.count - at else {
            throw ArchiveFailure(.damaged, "it ends where there should be more; it was cut off, or is no zip archive.")
        }
        return bytes[at..<(at + length)]
    }
}
