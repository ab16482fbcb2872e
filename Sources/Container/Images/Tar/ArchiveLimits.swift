/// How much of an archive is believed. A small download can expand without end (CVE-2026-47262), so everything that
/// an archive can ask for is bounded before it is given.
package struct ArchiveLimits: Hashable, Sendable {
    /// Bytes of the archive when decompressed, and the sum of the sizes of its files, holes included.
    package var bytes = 64 << 30
    /// Entries, of any kind.
    package var entries = 2_000_000
    /// How many bytes may come out of one compressed byte once `ratioFrom` bytes have: layers of programs and
    /// documents stay below 50, gzip cannot exceed 1032.
    package var ratio = 400
    /// Bytes below which the ratio is not looked at: a small layer of zeros is no attack.
    package var ratioFrom = 256 << 20
    /// Directories above one another.
    package var depth = 512
    /// How it may be compressed.
    package var compressions = Compression.ofLayers

    /// PATH_MAX (linux/limits.h) without the NUL: what no call of the kernel could be given.
    package static let nameBytes = 4095
    /// NAME_MAX.
    package static let componentBytes = 255
    /// The headers of one entry: long names, attributes, sparse maps. Those of real archives have a few KiB.
    static let headerBytes = 2 << 20

    package static let standard = ArchiveLimits()
    package init() {}
}
