internal import CArchive
internal import Crypto
internal import Glibc
package import Linux

/// Where the bytes of an archive go. Writing may block: only a thread of Forkless' own writes.
package protocol ByteSink: AnyObject, Sendable {
    func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveFailure)
}

/// A file, pipe or socket, written to from where it stands.
package final class DescriptorSink: ByteSink {
    private let fd: SharedFD
    private let name: String
    private let cancellation: Cancellation?
    /// What is written at once: a pipe with room for a page takes that much without waiting, pipe(7).
    private let pieceBytes: Int

    /// `name` is for errors. With a cancellation no write waits for longer than it takes to notice one.
    package init(_ fd: SharedFD, name: String = "the archive", cancellation: Cancellation? = nil) {
        self.fd = fd
        self.name = name
        self.cancellation = cancellation
        let isFile = (try? Files.status(of: fd.raw).kind) == .regular
        pieceBytes = isFile || cancellation == nil ? .max : 4096
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveFailure) {
        var done = 0
        while done < bytes.count {
            try withExtendedLifetime(fd) { () throws(ArchiveFailure) in
                try cancellation?.waitUntilReady(fd.raw, CInt(POLLOUT), "writing \(name) was cancelled.")
            }
            let piece = min(bytes.count - done, pieceBytes)
            let count = withExtendedLifetime(fd) { Glibc.write(fd.raw, bytes.baseAddress! + done, piece) }
            let code = errno
            if count >= 0 {
                done += count
                continue
            }
            switch code {
            case EINTR: continue
            case EAGAIN: waitUntilWritable()
            default: throw ArchiveFailure(SystemError("write", name, code: Errno(code)))
            }
        }
    }

    private func waitUntilWritable() {
        var wait = pollfd(fd: fd.raw, events: Int16(POLLOUT), revents: 0)
        withExtendedLifetime(fd) { _ = poll(&wait, 1, -1) }
    }
}

/// Gathers what an archive is made of, hashes it, compresses it and hashes that.
final class ArchiveOutput {
    private let sink: any ByteSink
    private let block = Block()
    private let packed = Block()
    /// zlib's state points back at it: it must not move.
    private var stream: UnsafeMutablePointer<z_stream>?
    private var blobHash = SHA256()
    private var diffHash = SHA256()
    private var totals = ArchiveTotals()

    /// `level` is zlib's, 1 (fast) to 9 (small); only gzip has one.
    init(_ sink: any ByteSink, compression: Compression, level: CInt) throws(ArchiveFailure) {
        self.sink = sink
        totals.compression = compression
        switch compression {
        case .none: break
        case .zstd, .bzip2, .xz: throw ArchiveFailure(.refused, "layers are written with gzip or without compression, not with \(compression).")
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            self.stream = stream
            // gzip's header without a time and a name (zlib.h): the same bytes whenever it is written.
            guard
                deflateInit2_(
                    stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                    CInt(MemoryLayout<z_stream>.size)) == Z_OK
            else { throw ArchiveFailure(.refused, "zlib knows no level \(level).") }
        }
    }

    deinit {
        if let stream { deflateEnd(stream) }
        stream?.deallocate()
    }

    func write(_ bytes: [UInt8]) throws(ArchiveFailure) {
        var done = 0
        while done < bytes.count {
            let count = min(bytes.count - done, Block.size - block.count)
            bytes.withUnsafeBytes { all in
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[done..<(done + count)]))
            }
            done += count
            try advance(count)
        }
    }

    /// Where the next bytes go; `advance` takes them over.
    var room: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: block.bytes[block.count...]) }

    func advance(_ count: Int) throws(ArchiveFailure) {
        block.count += count
        if block.count == Block.size { try flush(isLast: false) }
    }

    func finish() throws(ArchiveFailure) -> ArchiveTotals {
        try flush(isLast: true)
        totals.blob = Array(blobHash.finalize())
        totals.diff = Array(diffHash.finalize())
        return totals
    }

    private func flush(isLast: Bool) throws(ArchiveFailure) {
        let bytes = UnsafeRawBufferPointer(rebasing: block.bytes[..<block.count])
        block.count = 0
        totals.bytes += bytes.count
        diffHash.update(bufferPointer: bytes)
        guard let stream else { return try give(bytes) }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(bytes.count)
        while true {
            stream.pointee.next_out = packed.bytes.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(Block.size)
            let result = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
            precondition(result != Z_STREAM_ERROR, "zlib's state is its own")
            let made = Block.size - Int(stream.pointee.avail_out)
            try give(UnsafeRawBufferPointer(rebasing: packed.bytes[..<made]))
            if isLast ? result == Z_STREAM_END : stream.pointee.avail_out > 0 { return }
        }
    }

    private func give(_ bytes: UnsafeRawBufferPointer) throws(ArchiveFailure) {
        guard !bytes.isEmpty else { return }
        blobHash.update(bufferPointer: bytes)
        totals.compressedBytes += bytes.count
        try sink.write(bytes)
    }
}
