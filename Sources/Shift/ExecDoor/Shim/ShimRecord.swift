/// What one copy of the shim knows: written by the node into the file that takes a program's place.
///
/// The layout is that of Start.S: 16 bytes that say what it is, two numbers, and three texts ended by NUL.
package struct ShimRecord: Hashable, Sendable {
    /// The shift, at most 27 bytes.
    package var shift: String
    /// Where the node listens, at most 107 bytes.
    package var socket: String
    /// Where the original can be executed while the shim lies over its own path, at most 4095 bytes.
    package var original: String
    /// How long a shim waits for a decision before it executes the original. A node answers in some ten microseconds;
    /// the time is for one that is starved or stopped.
    package var decisionMilliseconds: UInt32 = 100
    /// How long a shim waits for another node when one ended while a target ran.
    package var resumeSeconds: UInt32 = 30

    package init(shift: String, socket: String, original: String) {
        self.shift = shift
        self.socket = socket
        self.original = original
    }

    static let magic = Array("FORKLESS-SHIM-01".utf8)
    static let shiftRange = 24..<52
    static let socketRange = 64..<172
    static let originalRange = 176..<4272
    static let byteCount = 4272

    /// Writes it into a copy of the executable.
    ///
    /// - Throws: `ShimFileError` that says which text is too long, or that this is no shim.
    package func patched(into executable: [UInt8]) throws(ShimFileError) -> [UInt8] {
        guard let start = Self.place(in: executable) else {
            throw ShimFileError(
                "write the record of shift \(shift): the file is no forkless-shim of this version. Build it: make shim")
        }
        var bytes = executable
        for (name, text, range) in [
            ("id", shift, Self.shiftRange), ("node's socket", socket, Self.socketRange),
            ("original's path", original, Self.originalRange),
        ] {
            let utf8 = Array(text.utf8)
            guard utf8.count < range.count, !utf8.contains(0), !utf8.isEmpty else {
                throw ShimFileError(
                    "write the record of shift \(shift): the \(name) is \(utf8.count) bytes long, 1 to \(range.count - 1) fit"
                )
            }
            for offset in range.indices {
                bytes[start + offset] = offset - range.lowerBound < utf8.count ? utf8[offset - range.lowerBound] : 0
            }
        }
        for (offset, number) in [(16, decisionMilliseconds), (20, resumeSeconds)] {
            withUnsafeBytes(of: number) { for index in 0..<4 { bytes[start + offset + index] = $0[index] } }
        }
        return bytes
    }

    /// Reads it from a file's bytes; nil: that is no shim, or one that was never patched.
    package init?(in executable: [UInt8]) {
        guard let start = Self.place(in: executable) else { return nil }
        func text(_ range: Range<Int>) -> String {
            String(
                decoding: executable[(start + range.lowerBound)..<(start + range.upperBound)].prefix { $0 != 0 },
                as: UTF8.self)
        }
        func number(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(executable[start + offset + $1]) << UInt32(8 * $1) }
        }
        self.init(shift: text(Self.shiftRange), socket: text(Self.socketRange), original: text(Self.originalRange))
        decisionMilliseconds = number(16)
        resumeSeconds = number(20)
    }

    /// Where the record begins: at its only magic, on a boundary of 16 bytes.
    static func place(in bytes: [UInt8]) -> Int? {
        guard bytes.count > byteCount, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
        var at = 0
        while at + byteCount <= bytes.count {
            if bytes[at] == magic[0], bytes[at..<(at + magic.count)].elementsEqual(magic) { return at }
            at += 16
        }
        return nil
    }
}

/// Why a shim could not be made.
package struct ShimFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
