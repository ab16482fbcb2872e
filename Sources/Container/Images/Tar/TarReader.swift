internal import CArchive
internal import Linux

/// The entries of a tar archive, one after another, through libarchive.
///
/// The process keeps the "C" locale: libarchive passes the bytes of names through then. In a UTF-8 locale it would
/// compose them (NFC) and so rename files; in the C locale it warns instead, about nothing that is lost.
///
/// Invariants
/// 1. Names keep their bytes. (test: `names keep their bytes, composed or not`)
/// 2. The headers of an entry take no more than `ArchiveLimits.headerBytes`, so that hostile ones (sparse maps
///    without end) cannot fill the memory. (test: `CVE-2026-47262: a header without end is refused`)
/// 3. Anything libarchive doubts is an error. (test: `damaged archives are errors, wherever they are cut or changed`)
package final class TarReader {
    private let archive: OpaquePointer
    private let feed: Feed
    private let limits: ArchiveLimits
    private var current: OpaquePointer?
    private var currentName = ""
    private var currentSize = 0
    private var declaredBytes = 0
    /// Entries read so far.
    package private(set) var entries = 0

    /// Reads `source` from where it stands; with `readAhead`, a thread of its own decompresses.
    package convenience init(
        _ source: any ByteSource, limits: ArchiveLimits = .standard, readAhead: Bool = false
    ) throws(ArchiveFailure) {
        let bytes = ArchiveBytes(source, limits: limits)
        let blocks: any BlockSource = if readAhead { try ReadAhead(bytes) } else { bytes }
        try self.init(blocks, limits)
    }

    private init(_ blocks: any BlockSource, _ limits: ArchiveLimits) throws(ArchiveFailure) {
        guard let made = archive_read_new() else { throw ArchiveFailure(.damaged, "libarchive has no memory.") }
        archive = made
        feed = Feed(blocks)
        self.limits = limits
        archive_read_support_format_tar(archive)
        let opened = archive_read_open(
            archive, Unmanaged.passUnretained(feed).toOpaque(), nil,
            { _, feed, block in Unmanaged<Feed>.fromOpaque(feed!).takeUnretainedValue().give(block!) }, nil)
        guard opened == ARCHIVE_OK else {
            let failure = self.failure("it is no tar archive")
            throw failure
        }
    }

    deinit { archive_read_free(archive) }

    /// The next entry; nil at the end of the archive.
    package func next() throws(ArchiveFailure) -> TarEntry? {
        if current != nil { try check(archive_read_data_skip(archive), "skip the data") }
        current = nil
        currentName = ""
        feed.headerBytesLeft = ArchiveLimits.headerBytes
        defer { feed.headerBytesLeft = nil }
        var header: OpaquePointer?
        let result = archive_read_next_header(archive, &header)
        if result == ARCHIVE_EOF, feed.failure == nil { return nil }
        try check(result, "read the header after \(entries) entries")
        guard let header else { throw ArchiveFailure(.damaged, "libarchive gave no entry.") }
        current = header
        entries += 1
        guard entries <= limits.entries else {
            throw ArchiveFailure(.tooLarge, "it has more than \(limits.entries) entries.")
        }
        return try entry(header)
    }

    /// The bytes of the current entry: pieces with their offsets, ascending; what is between them is a hole.
    package func data(
        _ body: (UnsafeRawBufferPointer, _ offset: Int) throws(ArchiveFailure) -> Void
    ) throws(ArchiveFailure) {
        var end = 0
        while true {
            var start: UnsafeRawPointer?
            var count = 0
            var offset: Int64 = 0
            let result = archive_read_data_block(archive, &start, &count, &offset)
            if result == ARCHIVE_EOF { return }
            try check(result, "read the data")
            guard offset >= end, offset <= currentSize, count <= currentSize - Int(offset) else {
                throw ArchiveFailure(.damaged, entry: currentName, "its parts overlap or lie outside of it.")
            }
            end = Int(offset) + count
            if count > 0 { try body(UnsafeRawBufferPointer(start: start, count: count), Int(offset)) }
        }
    }

    /// Reads what follows the last entry and tells what the archive was. The digests are of every byte of the source.
    package func finish() throws(ArchiveFailure) -> ArchiveTotals {
        if let failure = feed.failure { throw failure }
        while !(try feed.blocks.nextBlock()).isEmpty {}
        return feed.blocks.totals
    }

    private func entry(_ header: OpaquePointer) throws(ArchiveFailure) -> TarEntry {
        let text = try string(archive_entry_pathname(header), "name")
        currentName = text
        let name = try EntryName(text, depth: limits.depth)
        let kind = try kind(header)
        currentSize = kind == .file ? Int(archive_entry_size(header)) : 0
        guard currentSize >= 0, currentSize <= limits.bytes - declaredBytes else {
            throw ArchiveFailure(.tooLarge, entry: text, "with it, files have more than \(limits.bytes) bytes.")
        }
        declaredBytes += currentSize
        return TarEntry(
            name: name, kind: kind, mode: archive_entry_perm(header) & 0o7777,
            owner: try number(archive_entry_uid(header), "user"),
            group: try number(archive_entry_gid(header), "group"),
            modified: FileTime(
                seconds: archive_entry_mtime(header), nanoseconds: min(max(archive_entry_mtime_nsec(header), 0), 999_999_999)),
            size: currentSize, attributes: try attributes(header))
    }

    private func kind(_ header: OpaquePointer) throws(ArchiveFailure) -> TarEntry.Kind {
        if let target = archive_entry_hardlink(header) {
            return .hardLink(target: try EntryName(try string(target, "link target"), depth: limits.depth))
        }
        // AE_IFMT and its values are the S_IF of stat(2) (archive_entry.h).
        switch archive_entry_filetype(header) {
        case 0o100000: return .file
        case 0o040000: return .directory
        case 0o120000:
            let target = try string(archive_entry_symlink(header), "link target")
            guard !target.isEmpty, target.utf8.count <= ArchiveLimits.nameBytes else {
                throw ArchiveFailure(.refused, entry: currentName, "the target of the link is empty or too long.")
            }
            return .symbolicLink(target: target)
        case 0o010000: return .pipe
        case 0o020000, 0o060000:
            return .device(
                block: archive_entry_filetype(header) == 0o060000,
                major: UInt32(truncatingIfNeeded: archive_entry_rdevmajor(header)),
                minor: UInt32(truncatingIfNeeded: archive_entry_rdevminor(header)))
        case let other:
            throw ArchiveFailure(.refused, entry: currentName, "it is of a kind (\(other)) that no directory can hold.")
        }
    }

    private func attributes(_ header: OpaquePointer) throws(ArchiveFailure) -> [TarEntry.Attribute] {
        guard archive_entry_xattr_reset(header) > 0 else { return [] }
        var found: [TarEntry.Attribute] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while archive_entry_xattr_next(header, &name, &value, &count) == ARCHIVE_OK {
            let bytes = [UInt8](UnsafeRawBufferPointer(start: value, count: count))
            found.append(TarEntry.Attribute(name: try string(name, "attribute"), value: bytes))
        }
        return found
    }

    private func string(_ text: UnsafePointer<CChar>?, _ what: String) throws(ArchiveFailure) -> String {
        guard let text else { throw ArchiveFailure(.damaged, entry: currentName, "its \(what) is missing.") }
        guard let valid = String(validatingCString: text) else {
            throw ArchiveFailure(
                .refused, entry: currentName.isEmpty ? String(cString: text) : currentName, "its \(what) is not UTF-8.")
        }
        return valid
    }

    private func number(_ value: Int64, _ what: String) throws(ArchiveFailure) -> UInt32 {
        // The largest means "none" to the kernel (chown(2)).
        guard let number = UInt32(exactly: value), number != .max else {
            throw ArchiveFailure(.refused, entry: currentName, "its \(what) number \(value) is none that Linux knows.")
        }
        return number
    }

    private func check(_ result: Int, _ what: String) throws(ArchiveFailure) { try check(CInt(result), what) }

    private func check(_ result: CInt, _ what: String) throws(ArchiveFailure) {
        guard result != ARCHIVE_OK || feed.failure != nil else { return }
        if feed.failure == nil, result == ARCHIVE_WARN,
            let text = archive_error_string(archive), String(cString: text).hasSuffix("to current locale.")
        {
            return
        }
        let failure = self.failure("cannot \(what)")
        throw failure
    }

    private func failure(_ what: String) -> ArchiveFailure {
        if let failure = feed.failure { return failure }
        let why = archive_error_string(archive).map { String(cString: $0) } ?? "no reason given"
        return ArchiveFailure(.damaged, entry: currentName, "\(what): \(why).")
    }
}

/// What libarchive reads from.
private final class Feed {
    let blocks: any BlockSource
    /// Why the last read failed; libarchive itself knows only that it did.
    var failure: ArchiveFailure?
    /// While headers are read: how many bytes they may still take.
    var headerBytesLeft: Int?

    init(_ blocks: any BlockSource) { self.blocks = blocks }

    func give(_ block: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
        if failure != nil { return -1 }
        do throws(ArchiveFailure) {
            let bytes = try blocks.nextBlock()
            if let left = headerBytesLeft {
                guard left > 0 else { throw ArchiveFailure(.tooLarge, "the headers of one entry have no end.") }
                headerBytesLeft = left - bytes.count
            }
            block.pointee = bytes.baseAddress
            return bytes.count
        } catch {
            failure = error
            return -1
        }
    }
}
