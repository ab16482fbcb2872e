/// The end of a zip archive: where the central directory is, and how many entries it has.
struct ZipEnd {
    var directory: Range<Int>
    var entries: Int

    /// Of the record itself, before a comment.
    private static let length = 22
    private static let commentLimit = 0xFFFF

    init(_ archive: ZipBytes) throws(ArchiveFailure) {
        guard let end = try Self.find(archive) else {
            throw ArchiveFailure(.damaged, "it is no zip archive: the end of a central directory is missing.")
        }
        var (entries, size, start) = (try archive.short(end + 10), try archive.word(end + 12), try archive.word(end + 16))
        var (disk, directoryDisk, entriesHere) = (try archive.short(end + 4), try archive.short(end + 6), try archive.short(end + 8))
        var directoryEnd = end
        let isWide = entries == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF
        if isWide, end >= 20, try archive.word(end - 20) == 0x0706_4B50 {
            let wide = try archive.number(end - 12, 8)
            guard wide <= end - 20 - 56, try archive.word(wide) == 0x0606_4B50 else {
                throw ArchiveFailure(.damaged, "it is zip64, and the end of its directory is not where it should be.")
            }
            (disk, directoryDisk) = (try archive.word(wide + 16), try archive.word(wide + 20))
            (entriesHere, entries) = (try archive.number(wide + 24, 8), try archive.number(wide + 32, 8))
            (size, start) = (try archive.number(wide + 40, 8), try archive.number(wide + 48, 8))
            directoryEnd = wide
        }
        guard disk == 0, directoryDisk == 0, entriesHere == entries else {
            throw ArchiveFailure(.refused, "it is one part of an archive in several.")
        }
        // An entry takes 46 bytes at least: a count beyond that is a lie, and memory would be set aside for it.
        guard start >= 0, size >= 0, start <= directoryEnd, size == directoryEnd - start, entries <= size / 46 else {
            throw ArchiveFailure(.damaged, "its central directory is damaged: place, size and number of entries do not agree.")
        }
        directory = start..<directoryEnd
        self.entries = entries
    }

    /// The last record that, with its comment, ends where the archive ends.
    private static func find(_ archive: ZipBytes) throws(ArchiveFailure) -> Int? {
        var at = archive.count - length
        let first = max(0, at - commentLimit)
        while at >= first {
            if archive.bytes[at] == 0x50, try archive.word(at) == 0x0605_4B50,
                try archive.short(at + 20) == archive.count - at - length
            {
                return at
            }
            at -= 1
        }
        return nil
    }
}
