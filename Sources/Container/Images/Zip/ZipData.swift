internal import CArchive

/// The bytes of an entry: stored, or deflated (RFC 1951).
enum ZipData {
    /// Gives them piece by piece, never more than the entry's size, and checks size and sum.
    static func read(
        _ entry: ZipEntry, _ archive: [UInt8], _ room: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(ArchiveFailure) -> Void
    ) throws(ArchiveFailure) {
        var sum: UInt = crc32(0, nil, 0)
        var size = 0
        func give(_ part: UnsafeRawBufferPointer) throws(ArchiveFailure) {
            size += part.count
            guard size <= entry.size else {
                throw ArchiveFailure(.damaged, entry: entry.name.path, "it has more than the \(entry.size) bytes that the archive says.")
            }
            sum = crc32(sum, part.bindMemory(to: UInt8.self).baseAddress, UInt32(part.count))
            try body(part)
        }
        let result: Result<Void, ArchiveFailure> = archive.withUnsafeBytes { archive in
            let data = UnsafeRawBufferPointer(rebasing: archive[entry.data])
            return Result { () throws(ArchiveFailure) in
                if entry.isDeflated {
                    try inflate(data, room, entry, give)
                } else {
                    for start in stride(from: 0, to: data.count, by: room.count) {
                        try give(UnsafeRawBufferPointer(rebasing: data[start..<min(start + room.count, data.count)]))
                    }
                }
            }
        }
        try result.get()
        guard size == entry.size, UInt32(truncatingIfNeeded: sum) == entry.checkSum else {
            throw ArchiveFailure(
                .damaged, entry: entry.name.path, "its data are not what the archive says (size or check sum). Make it again.")
        }
    }

    private static func inflate(
        _ data: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ entry: ZipEntry,
        _ give: (UnsafeRawBufferPointer) throws(ArchiveFailure) -> Void
    ) throws(ArchiveFailure) {
        // Its state points back at it: it must not move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        // Negative: 15 bits of window and no header (zlib.h).
        guard inflateInit2_(stream, -15, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw ArchiveFailure(.damaged, entry: entry.name.path, "zlib has no memory for its window.")
        }
        defer { inflateEnd(stream) }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: data.bindMemory(to: UInt8.self).baseAddress)
        // An archive in memory is far below what 32 bits count.
        stream.pointee.avail_in = UInt32(data.count)
        while true {
            stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(room.count)
            let result = CArchive.inflate(stream, Z_NO_FLUSH)
            let made = room.count - Int(stream.pointee.avail_out)
            if made > 0 { try give(UnsafeRawBufferPointer(rebasing: room[..<made])) }
            if result == Z_STREAM_END { break }
            guard result == Z_OK, made > 0 || stream.pointee.avail_in > 0 else {
                throw ArchiveFailure(.damaged, entry: entry.name.path, "its deflated data are damaged. Make the archive again.")
            }
        }
        guard stream.pointee.avail_in == 0 else {
            throw ArchiveFailure(.damaged, entry: entry.name.path, "there is more than its deflated data in its place.")
        }
    }
}
