internal import Glibc
internal import Linux

/// The times of directories, set when everything in them is there. They are kept in a file without a name once they
/// are many: memory does not grow with the archive.
///
/// Invariants
/// 1. No more than `memoryLimit` bytes are kept in memory. (test: `the times of many directories are set, too`)
struct DirectoryTimes: ~Copyable {
    static let memoryLimit = 1 << 20

    private var buffer: [UInt8] = []
    private var spool: SharedFD?
    private var spooled = 0

    mutating func add(_ path: String, _ time: FileTime, in root: CInt) throws(SystemError) {
        Self.append(Int64(time.seconds), to: &buffer)
        Self.append(Int64(time.nanoseconds), to: &buffer)
        Self.append(Int64(path.utf8.count), to: &buffer)
        buffer += path.utf8
        if buffer.count >= Self.memoryLimit { try spill(root) }
    }

    /// Calls `body` for each, in the order in which they were added.
    mutating func forEach(_ body: (String, FileTime) throws(SystemError) -> Void) throws(SystemError) {
        var at = 0
        while at < spooled {
            guard let spool else { break }
            let part = try Self.read(spool, from: at)
            guard !part.isEmpty else { throw SystemError("read", "the times of directories", code: .inputOutput) }
            at += try Self.parse(part, body)
        }
        _ = try Self.parse(buffer, body)
    }

    private mutating func spill(_ root: CInt) throws(SystemError) {
        // O_TMPFILE (open(2)): a name below `root` could meet one of the archive's.
        if spool == nil { spool = SharedFD(try Files.open(".", O_RDWR | 0o20200000, at: root)) }
        guard let spool else { return }
        let done = spooled
        let written = buffer.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in
                try FileEntries.write(bytes, to: spool.raw, at: done, name: "the times of directories")
            }
        }
        try written.get()
        spooled += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    private static func read(_ spool: SharedFD, from offset: Int) throws(SystemError) -> [UInt8] {
        defer { withExtendedLifetime(spool) {} }
        return try Files.read(spool.raw, from: offset, count: memoryLimit, name: "the times of directories")
    }

    /// Returns how many bytes whole records took.
    private static func parse(_ bytes: [UInt8], _ body: (String, FileTime) throws(SystemError) -> Void) throws(SystemError) -> Int {
        var at = 0
        while at + 24 <= bytes.count {
            let length = Int(number(bytes, at + 16))
            guard at + 24 + length <= bytes.count else { break }
            let path = String(decoding: bytes[(at + 24)..<(at + 24 + length)], as: UTF8.self)
            try body(path, FileTime(seconds: Int(number(bytes, at)), nanoseconds: Int(number(bytes, at + 8))))
            at += 24 + length
        }
        return at
    }

    private static func append(_ value: Int64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes += $0 }
    }

    private static func number(_ bytes: [UInt8], _ at: Int) -> Int64 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: Int64.self) }
    }
}
