internal import CArchive

/// How an archive is compressed, told by its first bytes.
package enum Compression: String, Hashable, Sendable, CaseIterable {
    case none, gzip, zstd, bzip2, xz

    /// Those that layers of images have (image-spec layer.md).
    package static let ofLayers: Set<Compression> = [.none, .gzip, .zstd]

    /// - Throws: `ArchiveFailure` for a compression that is known and not accepted.
    init(firstBytes bytes: some Collection<UInt8>, accepting: Set<Compression> = ofLayers) throws(ArchiveFailure) {
        let magic = Array(bytes.prefix(6))
        func begins(_ prefix: [UInt8]) -> Bool { magic.starts(with: prefix) }
        // RFC 1952 section 2.3.1; RFC 8878 sections 3.1.1 and 3.1.2 (a skippable frame may come first).
        if begins([0x1F, 0x8B]) {
            self = .gzip
        } else if begins([0x28, 0xB5, 0x2F, 0xFD]) || (magic.count >= 4 && magic[0] & 0xF0 == 0x50 && magic[1...3] == [0x2A, 0x4D, 0x18]) {
            self = .zstd
        } else if begins([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) {
            self = .xz
        } else if begins([0x42, 0x5A, 0x68]) {
            self = .bzip2
        } else {
            self = .none
        }
        guard accepting.contains(self) else {
            throw ArchiveFailure(
                .refused, "it is compressed with \(self); only gzip and zstd are read. Decompress it first.")
        }
    }
}

/// One decompressor, fed with pieces. It never holds more than its window.
protocol Inflation: AnyObject {
    /// Decompresses some of `input` into `output`; tells how much was taken and made.
    func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Progress
    /// Whether the input may end here.
    var isComplete: Bool { get }
}

struct Progress {
    var taken: Int
    var made: Int
}

/// gzip, RFC 1952: one member after another, as layers that can be read at random have many.
final class GzipInflation: Inflation {
    /// zlib's state points back at it: it must not move.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private(set) var isComplete = false

    init() throws(ArchiveFailure) {
        stream.initialize(to: z_stream())
        // 15 bits of window, the most there is, and 16 for gzip's header (zlib.h).
        guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw ArchiveFailure(.damaged, "zlib has no memory for its window.")
        }
    }

    func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Progress {
        if isComplete, !input.isEmpty {
            inflateReset(stream)
            isComplete = false
        }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        let result = inflate(stream, Z_NO_FLUSH)
        guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
            let why = stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
            throw ArchiveFailure(.damaged, "its gzip data are damaged (\(why)); get it again.")
        }
        isComplete = result == Z_STREAM_END
        return Progress(taken: input.count - Int(stream.pointee.avail_in), made: output.count - Int(stream.pointee.avail_out))
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }
}

/// Zstandard, RFC 8878: frames one after another.
final class ZstdInflation: Inflation {
    /// 32 MiB of window: memory stays bounded whatever a frame's header claims. `zstd -19` uses 8 MiB.
    private static let windowLog: CInt = 25
    private let stream: OpaquePointer
    private(set) var isComplete = false

    init() throws(ArchiveFailure) {
        guard let made = ZSTD_createDStream() else { throw ArchiveFailure(.damaged, "zstd has no memory for its window.") }
        stream = made
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.windowLog)
    }

    func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Progress {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        // Nothing in and nothing begun: a call would begin a frame that never comes.
        if isComplete, input.isEmpty { return Progress(taken: 0, made: 0) }
        let result = ZSTD_decompressStream(stream, &to, &from)
        guard ZSTD_isError(result) == 0 else {
            let why = String(cString: ZSTD_getErrorName(result))
            throw ArchiveFailure(
                .damaged, "its zstd data are damaged or need more than 32 MiB of window (\(why)); get it again.")
        }
        isComplete = result == 0
        return Progress(taken: from.pos, made: to.pos)
    }

    deinit { ZSTD_freeDStream(stream) }
}

/// bzip2: streams one after another, as pbzip2 writes them.
final class Bzip2Inflation: Inflation {
    /// The library's state points back at it: it must not move.
    private let stream = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
    private(set) var isComplete = false

    init() throws(ArchiveFailure) {
        stream.initialize(to: bz_stream())
        guard BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else {
            throw ArchiveFailure(.damaged, "bzip2 has no memory for its blocks.")
        }
    }

    func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Progress {
        // Nothing in and nothing begun: a call would wait for a stream that never comes.
        if isComplete, input.isEmpty { return Progress(taken: 0, made: 0) }
        if isComplete {
            BZ2_bzDecompressEnd(stream)
            stream.pointee = bz_stream()
            guard BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else {
                throw ArchiveFailure(.damaged, "bzip2 has no memory for its blocks.")
            }
            isComplete = false
        }
        let from = input.bindMemory(to: CChar.self).baseAddress
        stream.pointee.next_in = UnsafeMutablePointer(mutating: from)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.bindMemory(to: CChar.self).baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        let result = BZ2_bzDecompress(stream)
        guard result == BZ_OK || result == BZ_STREAM_END else {
            throw ArchiveFailure(.damaged, "its bzip2 data are damaged (error \(result)); get it again.")
        }
        isComplete = result == BZ_STREAM_END
        return Progress(taken: input.count - Int(stream.pointee.avail_in), made: output.count - Int(stream.pointee.avail_out))
    }

    deinit {
        BZ2_bzDecompressEnd(stream)
        stream.deallocate()
    }
}

/// xz: streams one after another, with padding between them.
final class XzInflation: Inflation {
    /// Bytes of memory: `xz -9` needs 65 MiB to be read.
    private static let memoryLimit: UInt64 = 128 << 20
    /// LZMA_CONCATENATED (lzma/container.h), which Swift cannot import.
    private static let concatenated: UInt32 = 0x08
    /// The library's state points back at it: it must not move.
    private let stream = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
    private(set) var isComplete = false

    init() throws(ArchiveFailure) {
        stream.initialize(to: lzma_stream())
        guard lzma_stream_decoder(stream, Self.memoryLimit, Self.concatenated) == LZMA_OK else {
            throw ArchiveFailure(.damaged, "lzma has no memory for its window.")
        }
    }

    func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Progress {
        if isComplete { return Progress(taken: 0, made: 0) }
        stream.pointee.next_in = input.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_in = input.count
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = output.count
        // Only the end of the input tells the library that no further stream comes (lzma/container.h).
        let result = lzma_code(stream, input.isEmpty ? LZMA_FINISH : LZMA_RUN)
        guard result == LZMA_OK || result == LZMA_STREAM_END || result == LZMA_BUF_ERROR else {
            let why = result == LZMA_MEMLIMIT_ERROR ? "need more than 128 MiB of memory" : "are damaged (error \(result.rawValue))"
            throw ArchiveFailure(.damaged, "its xz data \(why); get it again.")
        }
        isComplete = result == LZMA_STREAM_END
        return Progress(taken: input.count - stream.pointee.avail_in, made: output.count - stream.pointee.avail_out)
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }
}
