internal import Linux

/// The entries of a zip archive, read from its central directory (APPNOTE.TXT 6.3.10 of PKWARE).
///
/// Read here rather than by libarchive, which composes names (NFC) in a UTF-8 locale and has none for them in the "C"
/// locale: a file would be renamed or refused. Reading it whole also shows what a stream cannot: entries that overlap,
/// and headers that contradict the directory.
///
/// Invariants
/// 1. No entry leads out of the directory it is unpacked to, no two have one name, and none lies below what is no
///    directory. (test: `a zip archive that leads out, or contradicts itself, is refused`)
/// 2. The parts of entries do not overlap, so that unpacking reads no byte twice.
///    (test: `a zip bomb of files that share their bytes is refused`)
/// 3. Names keep their bytes. (test: `names of a zip archive keep their bytes`)
struct ZipDirectory {
    private let archive: ZipBytes
    private let limits: ZipLimits
    private(set) var entries: [ZipEntry] = []

    init(_ bytes: [UInt8], limits: ZipLimits) throws(ArchiveFailure) {
        archive = ZipBytes(bytes: bytes)
        self.limits = limits
        let end = try ZipEnd(archive)
        guard end.entries <= limits.entries else {
            throw ArchiveFailure(.tooLarge, "it has \(end.entries) entries; \(limits.entries) are possible.")
        }
        entries.reserveCapacity(end.entries)
        var at = end.directory.lowerBound
        var total = 0
        for _ in 0..<end.entries {
            let (entry, next) = try entry(at, end.directory)
            total += entry.size
            guard total <= limits.bytes else {
                throw ArchiveFailure(
                    .tooLarge, entry: entry.name.path, "with it, files have more than \(limits.bytes) bytes when unpacked.")
            }
            entries.append(entry)
            at = next
        }
        guard at == end.directory.upperBound else {
            throw ArchiveFailure(.damaged, "its central directory has more in it than its \(end.entries) entries.")
        }
        try checkExtents()
        try checkNames()
    }

    // MARK: - An entry

    private func entry(_ at: Int, _ directory: Range<Int>) throws(ArchiveFailure) -> (ZipEntry, next: Int) {
        guard try archive.word(at) == 0x0201_4B50 else {
            throw ArchiveFailure(.damaged, "its central directory is damaged: there is no entry where one should be.")
        }
        let (nameLength, extraLength) = (try archive.short(at + 28), try archive.short(at + 30))
        let next = at + 46 + nameLength + extraLength + (try archive.short(at + 32))
        guard next <= directory.upperBound else { throw ArchiveFailure(.damaged, "an entry of its central directory has no end.") }
        let nameBytes = try archive.slice(at + 46, nameLength)
        let (name, kind, isExecutable) = try describe(nameBytes, try archive.short(at + 4) >> 8, try archive.word(at + 38))
        let text = name.path
        let flags = try archive.short(at + 8)
        // Bit 0: encrypted. Bit 6: strongly. Bit 13: with a hidden directory.
        guard flags & 0x2041 == 0 else {
            throw ArchiveFailure(.refused, entry: text, "it is encrypted. Make the archive without a password.")
        }
        let method = try archive.short(at + 10)
        guard method == 0 || method == 8 else {
            throw ArchiveFailure(
                .refused, entry: text, "it is compressed with method \(method); only stored and deflated entries are read.")
        }
        let extra = try ZipExtra(archive, at + 46 + nameLength, extraLength, entry: text)
        var size = try archive.word(at + 24)
        var compressed = try archive.word(at + 20)
        var place = try archive.word(at + 42)
        try extra.widen(&size, &compressed, &place, entry: text)
        let data = try self.data(place, compressed, nameBytes, method, directory.lowerBound, text)
        guard kind != .directory || size == 0, method == 8 || size == compressed, size <= limits.bytes else {
            throw ArchiveFailure(
                size > limits.bytes ? .tooLarge : .damaged, entry: text, "its size of \(size) bytes cannot be.")
        }
        let time = Self.time(try archive.short(at + 14), try archive.short(at + 12))
        let entry = ZipEntry(
            name: name, kind: kind, isExecutable: isExecutable, modified: FileTime(seconds: extra.modified ?? time),
            checkSum: UInt32(truncatingIfNeeded: try archive.word(at + 16)), size: size, isDeflated: method == 8,
            extent: place..<data.upperBound, data: data)
        return (entry, next)
    }

    private func describe(
        _ bytes: ArraySlice<UInt8>, _ system: Int, _ attributes: Int
    ) throws(ArchiveFailure) -> (EntryName, ZipEntry.Kind, isExecutable: Bool) {
        let shown = String(decoding: bytes, as: UTF8.self)
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw ArchiveFailure(.refused, entry: shown, "its name is not UTF-8.")
        }
        guard !bytes.contains(UInt8(ascii: "\\")) else {
            throw ArchiveFailure(.refused, entry: text, "its name has a \"\\\": directories are separated with \"/\".")
        }
        let name = try EntryName(text, depth: limits.depth)
        guard name.last != nil || text.hasSuffix("/") else { throw ArchiveFailure(.refused, entry: text, "it has no name.") }
        let isDirectory = text.hasSuffix("/")
        // Unix and macOS keep st_mode in the upper half.
        guard system == 3 || system == 19 else { return (name, isDirectory ? .directory : .file, true) }
        let mode = attributes >> 16
        let kind: ZipEntry.Kind
        switch mode & 0o170000 {
        case 0o040000: kind = .directory
        case 0o120000: kind = .symbolicLink
        case 0o100000, 0: kind = isDirectory ? .directory : .file
        default:
            throw ArchiveFailure(.refused, entry: text, "it is a device, pipe or socket, which code has none of.")
        }
        guard isDirectory == (kind == .directory) else {
            throw ArchiveFailure(.damaged, entry: text, "its name and its mode differ on whether it is a directory.")
        }
        return (name, kind, mode & 0o111 != 0)
    }

    /// Where the data are, from the entry's own header, which must say what the directory says.
    private func data(
        _ place: Int, _ compressed: Int, _ name: ArraySlice<UInt8>, _ method: Int, _ end: Int, _ text: String
    ) throws(ArchiveFailure) -> Range<Int> {
        func damaged(_ why: String) -> ArchiveFailure { ArchiveFailure(.damaged, entry: text, why) }
        guard place >= 0, place <= end - 30, try archive.word(place) == 0x0403_4B50 else {
            throw damaged("the directory leads to no entry.")
        }
        let (flags, ownMethod) = (try archive.short(place + 6), try archive.short(place + 8))
        let (nameLength, extraLength) = (try archive.short(place + 26), try archive.short(place + 28))
        guard try archive.slice(place + 30, nameLength) == name, ownMethod == method, flags & 0x2041 == 0 else {
            throw damaged("its own header and the directory contradict each other.")
        }
        let start = place + 30 + nameLength + extraLength
        guard start <= end, compressed <= end - start else { throw damaged("its data reach into the directory.") }
        return start..<(start + compressed)
    }

    /// Seconds since 1970 of a time as DOS had it, taken for UTC.
    private static func time(_ date: Int, _ time: Int) -> Int {
        let (year, month, day) = (1980 + date >> 9, max(1, date >> 5 & 15), max(1, date & 31))
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return days * 86_400 + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2
    }

    // MARK: - All of them

    private func checkExtents() throws(ArchiveFailure) {
        var end = 0
        for entry in entries.sorted(by: { $0.extent.lowerBound < $1.extent.lowerBound }) {
            guard entry.extent.lowerBound >= end else {
                throw ArchiveFailure(.refused, entry: entry.name.path, "it shares bytes of the archive with another entry.")
            }
            end = entry.extent.upperBound
        }
    }

    private func checkNames() throws(ArchiveFailure) {
        // By their bytes: Swift takes composed and decomposed names for equal, Linux does not.
        var kinds: [[UInt8]: ZipEntry.Kind] = [:]
        for entry in entries {
            guard kinds.updateValue(entry.kind, forKey: Array(entry.name.path.utf8)) == nil else {
                throw ArchiveFailure(.refused, entry: entry.name.path, "the archive has it twice.")
            }
        }
        for entry in entries {
            var parent = entry.name.components.dropLast()
            while !parent.isEmpty {
                let path = parent.joined(separator: "/")
                if let kind = kinds[Array(path.utf8)] {
                    guard kind == .directory else {
                        throw ArchiveFailure(.refused, entry: entry.name.path, "it lies below \(path), which is no directory.")
                    }
                    break
                }
                parent = parent.dropLast()
            }
        }
    }
}
