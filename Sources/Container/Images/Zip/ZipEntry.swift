internal import Linux

/// One entry of a zip archive, its name and its place in the archive checked.
struct ZipEntry {
    enum Kind: Hashable { case file, directory, symbolicLink }

    var name: EntryName
    var kind: Kind
    /// Somebody may execute it. An archive from a system without such a permission gives it to all.
    var isExecutable: Bool
    var modified: FileTime
    /// CRC-32 of the bytes, as the archive has it.
    var checkSum: UInt32
    /// Bytes when unpacked.
    var size: Int
    var isDeflated: Bool
    /// From the entry's own header to the end of its data, in the archive.
    var extent: Range<Int>
    /// Its data, in the archive.
    var data: Range<Int>
}
