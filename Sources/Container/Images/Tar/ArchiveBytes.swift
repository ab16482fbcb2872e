internal import Crypto

/// The bytes of a tar archive, block by block. A block is valid until the next is asked for.
protocol BlockSource: AnyObject {
    /// The next bytes; empty at the end.
    func nextBlock() throws(ArchiveFailure) -> UnsafeRawBufferPointer
    /// What was read so far; complete only after the empty block.
    var totals: ArchiveTotals { get }
}

/// What an archive turned out to be.
package struct ArchiveTotals: Hashable, Sendable {
    /// Bytes as they came.
    package var compressedBytes = 0
    /// Bytes of the tar archive.
    package var bytes = 0
    package var compression = Compression.none
    /// SHA-256 of the bytes as they came: the blob's digest.
    package var blob: [UInt8] = []
    /// SHA-256 of the tar archive: the layer's diff id (image-spec, config.md).
    package var diff: [UInt8] = []
}

/// Decompresses a source and hashes both sides while the bytes pass.
///
/// Invariants
/// 1. Every byte of the source is hashed, also those after the archive's end. (test: `both digests are those of sha256sum`)
/// 2. No more than `limits.bytes`, and no more than `limits.ratio` times what was read, comes out.
///    (test: `CVE-2026-47262: gigabytes of zeros from kilobytes end early and in little memory`)
final class ArchiveBytes: BlockSource, @unchecked Sendable {
    // Used by one thread at a time: the reader's, or the one of its ReadAhead.
    private let source: any ByteSource
    private let limits: ArchiveLimits
    private let input = Block()
    private let output = Block()
    private var unread: Range<Int> = 0..<0
    private var isAtEnd = false
    private var inflation: (any Inflation)?
    private var hasBegun = false
    private var hasEnded = false
    private var blobHash = SHA256()
    private var diffHash = SHA256()
    private(set) var totals = ArchiveTotals()

    init(_ source: any ByteSource, limits: ArchiveLimits) {
        self.source = source
        self.limits = limits
    }

    func nextBlock() throws(ArchiveFailure) -> UnsafeRawBufferPointer {
        let count = try fill(output.bytes)
        return UnsafeRawBufferPointer(rebasing: output.bytes[..<count])
    }

    /// Fills `room` with decompressed bytes; less than all of it only at the end.
    func fill(_ room: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Int {
        if hasEnded { return 0 }
        if !hasBegun { try begin() }
        var done = 0
        while done < room.count {
            let made = try step(UnsafeMutableRawBufferPointer(rebasing: room[done...]))
            if made == 0, unread.isEmpty, isAtEnd { break }
            done += made
        }
        diffHash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: room[..<done]))
        totals.bytes += done
        try checkSize()
        if done < room.count { try end() }
        return done
    }

    private func begin() throws(ArchiveFailure) {
        hasBegun = true
        // A pipe may hand out its first bytes one by one.
        while unread.count < 6, !isAtEnd { try readMore() }
        totals.compression = try Compression(firstBytes: input.bytes[unread], accepting: limits.compressions)
        inflation =
            switch totals.compression {
            case .none: nil
            case .gzip: try GzipInflation()
            case .zstd: try ZstdInflation()
            case .bzip2: try Bzip2Inflation()
            case .xz: try XzInflation()
            }
    }

    private func step(_ room: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Int {
        if unread.isEmpty, !isAtEnd {
            unread = 0..<0
            try readMore()
        }
        let bytes = UnsafeRawBufferPointer(rebasing: input.bytes[unread])
        guard let inflation else {
            let count = min(bytes.count, room.count)
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            unread = (unread.lowerBound + count)..<unread.upperBound
            return count
        }
        let progress = try inflation.step(bytes, room)
        unread = (unread.lowerBound + progress.taken)..<unread.upperBound
        if progress.taken == 0, progress.made == 0, !bytes.isEmpty {
            throw ArchiveFailure(.damaged, "its compressed data lead nowhere; get it again.")
        }
        return progress.made
    }

    private func readMore() throws(ArchiveFailure) {
        let room = UnsafeMutableRawBufferPointer(rebasing: input.bytes[unread.upperBound...])
        let count = try source.read(into: room)
        isAtEnd = count == 0
        blobHash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: room[..<count]))
        totals.compressedBytes += count
        unread = unread.lowerBound..<(unread.upperBound + count)
    }

    private func checkSize() throws(ArchiveFailure) {
        guard totals.bytes <= limits.bytes else {
            throw ArchiveFailure(.tooLarge, "it has more than \(limits.bytes) bytes when decompressed.")
        }
        guard totals.bytes <= limits.ratioFrom || totals.bytes / limits.ratio <= totals.compressedBytes else {
            throw ArchiveFailure(
                .tooLarge,
                "\(totals.compressedBytes) bytes made more than \(totals.bytes) (over \(limits.ratio) times as much): "
                    + "it is taken for a decompression bomb.")
        }
    }

    private func end() throws(ArchiveFailure) {
        if let inflation, !inflation.isComplete {
            throw ArchiveFailure(.damaged, "it ends in the middle of its \(totals.compression) data; get it again.")
        }
        hasEnded = true
        totals.blob = Array(blobHash.finalize())
        totals.diff = Array(diffHash.finalize())
    }
}

/// 256 KiB for one piece of an archive.
final class Block: @unchecked Sendable {
    // Handed from one thread to another, never used by two at once.
    static let size = 256 << 10
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    var count = 0
    /// Why there are no bytes, in place of bytes.
    var failure: ArchiveFailure?
    deinit { bytes.deallocate() }
}
