internal import CArchive
internal import Glibc

/// Writes a zip in memory: APPNOTE 6.3 of PKWARE, without zip64, deflated.
///
/// Invariants
/// 1. The bytes depend on names, modes and contents only, in the order in which they are added: times are 1 January
///    1980, the first there is. (test: `the same files make the same zip`)
/// 2. What a zip without zip64 cannot say is a failure, not a wrong zip. (test: `a zip has at most 65,535 entries`)
package struct ZipWriter: Sendable {
    private static let entriesLimit = 0xFFFF
    /// The epoch of DOS.
    private static let date: UInt16 = 1 << 5 | 1
    /// 2.0: directories and deflate.
    private static let version: UInt16 = 20
    /// Unix, so that modes are read.
    private static let madeBy: UInt16 = 3 << 8 | 20
    /// Names are UTF-8.
    private static let flags: UInt16 = 1 << 11

    private var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var entries = 0

    package init() {}

    /// How many bytes there are by now, without the directory at the end.
    package var count: Int { bytes.count }

    /// Adds a file, a directory (its name ends with "/") or, with the mode of one, a symbolic link whose contents are
    /// its target.
    ///
    /// - Parameter mode: as stat(2) gives it, type included.
    package mutating func add(_ name: String, mode: UInt32, contents: [UInt8] = []) throws(ArchiveFailure) {
        guard entries < Self.entriesLimit else {
            throw ArchiveFailure(.tooLarge, "a zip has at most \(Self.entriesLimit) entries.")
        }
        guard !name.isEmpty, name.utf8.count <= 0xFFFF else { throw ArchiveFailure(.tooLarge, "the name \(name) is too long for a zip.") }
        let packed = try Self.deflated(contents)
        let isSmaller = packed.count < contents.count
        let data = isSmaller ? packed : contents
        guard bytes.count + data.count + name.utf8.count + directory.count + (1 << 16) < Int(UInt32.max) else {
            throw ArchiveFailure(.tooLarge, "a zip has less than 4 GiB.")
        }
        let offset = UInt32(bytes.count)
        let common = Self.common(name, isSmaller, contents, data)
        bytes.put(UInt32(0x0403_4B50))
        bytes += common
        bytes += Array(name.utf8)
        bytes += data
        directory.put(UInt32(0x0201_4B50))
        directory.put(Self.madeBy)
        directory += common
        directory.put(UInt16(0))  // comment
        directory.put(UInt16(0))  // disk
        directory.put(UInt16(0))  // internal attributes
        directory.put(mode << 16)
        directory.put(offset)
        directory += Array(name.utf8)
        entries += 1
    }

    /// The whole zip.
    package consuming func finish() -> [UInt8] {
        let start = UInt32(bytes.count)
        bytes += directory
        bytes.put(UInt32(0x0605_4B50))
        bytes.put(UInt16(0))
        bytes.put(UInt16(0))
        bytes.put(UInt16(entries))
        bytes.put(UInt16(entries))
        bytes.put(UInt32(directory.count))
        bytes.put(start)
        bytes.put(UInt16(0))
        return bytes
    }

    /// What the header before the data and the one in the directory have in common.
    private static func common(_ name: String, _ isDeflated: Bool, _ contents: [UInt8], _ data: [UInt8]) -> [UInt8] {
        var part: [UInt8] = []
        part.put(version)
        part.put(flags)
        part.put(UInt16(isDeflated ? 8 : 0))
        part.put(UInt16(0))
        part.put(date)
        part.put(contents.withUnsafeBufferPointer { UInt32(crc32(0, $0.baseAddress, UInt32($0.count))) })
        part.put(UInt32(data.count))
        part.put(UInt32(contents.count))
        part.put(UInt16(name.utf8.count))
        part.put(UInt16(0))  // extra
        return part
    }

    private static func deflated(_ contents: [UInt8]) throws(ArchiveFailure) -> [UInt8] {
        guard !contents.isEmpty else { return [] }
        guard contents.count < Int(UInt32.max) else { throw ArchiveFailure(.tooLarge, "a file of a zip has less than 4 GiB.") }
        var stream = z_stream()
        // A negative window: no header of zlib's own.
        let began = deflateInit2_(
            &stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard began == Z_OK else { throw ArchiveFailure(.damaged, "zlib cannot begin (\(began)).") }
        defer { deflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(contents.count))))
        let status = contents.withUnsafeBufferPointer { input in
            output.withUnsafeMutableBufferPointer { room in
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = UInt32(input.count)
                stream.next_out = room.baseAddress
                stream.avail_out = UInt32(room.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { throw ArchiveFailure(.damaged, "zlib ended early (\(status)).") }
        output.removeLast(output.count - Int(stream.total_out))
        return output
    }
}

extension [UInt8] {
    /// Little end first.
    fileprivate mutating func put(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
