import Glibc
package import Linux

/// Reads a trace from a file, part by part: traces are large.
package enum StraceFile {
    private static let partBytes = 1 << 20
    /// A line is no longer; what is longer is taken apart as if it ended there.
    private static let lineLimit = 16 << 20

    package static func read(_ path: String, now: Timestamp, writer: String) throws(SystemError) -> StraceImport.Outcome
    {
        let fd = try Files.open(path, O_RDONLY)
        guard try Files.status(of: fd.raw, name: path).kind == .regular else {
            throw SystemError(
                "import", path, code: .invalid,
                advice: "It is read twice and must be a file: strace -f -o FILE writes one.")
        }
        let raw = fd.raw
        return try StraceImport.read(name: path, now: now, writer: writer) { (line) throws(SystemError) in
            try eachLine(of: raw, path, line)
        }
    }

    private static func eachLine(of fd: CInt, _ path: String, _ body: (Substring) -> Void) throws(SystemError) {
        var rest: [UInt8] = []
        var offset = 0
        while true {
            let part = try Files.read(fd, from: offset, count: partBytes, name: path)
            if part.isEmpty { break }
            offset += part.count
            rest += part
            var start = 0
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                body(text(rest[start..<end]))
                start = end + 1
            }
            rest.removeFirst(start)
            if rest.count > lineLimit {
                body(text(rest[...]))
                rest = []
            }
        }
        if !rest.isEmpty { body(text(rest[...])) }
    }

    /// strace writes ASCII; what is none of UTF-8 is none of strace, and may be repaired.
    private static func text(_ bytes: ArraySlice<UInt8>) -> Substring {
        let line = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
        return Substring(String(decoding: line, as: UTF8.self))
    }
}
