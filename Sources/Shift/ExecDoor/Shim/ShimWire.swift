package import Spawn

/// What a shim says: 64 bytes, and for a call argv and the environment as they lie in its memory.
///
///      0  4  magic "FKSX"           24  4  the number of its socket
///      4  2  version                28 28  the shift's id, ended by NUL
///      6  2  kind                   56  8  of a call: the signals that are blocked
///      8  4  arguments; for a signal its number
///     12  4  entries of the environment
///     16  8  bytes that follow
package struct ShimHead: Hashable, Sendable {
    package enum Kind: UInt16, Sendable {
        case call = 1
        /// Asks a node that has come back about the target of this token, which follows.
        case resume = 2
        case signal = 3
        /// The answer `target` was read: the shim will not execute the original by itself, unless the node is gone before
        /// it commits.
        case ready = 4
    }

    package var kind: Kind
    package var argumentCount: Int
    package var environmentCount: Int
    package var blockBytes: Int
    package var socket: Int32
    package var shift: String
    package var signalMask: UInt64

    static let byteCount = 64
    static let magic: UInt32 = 0x5853_4b46
    static let version: UInt16 = 1
    /// The kernel lets arguments and environment have 6 MiB at most, execve(2).
    static let blockLimit = 8 << 20

    /// nil: not of this version, or not of a shim.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount, bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self) == Self.magic,
            bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == Self.version,
            let kind = Kind(rawValue: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        else { return nil }
        self.kind = kind
        argumentCount = Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        environmentCount = Int(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        let follows = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        guard follows <= UInt64(Self.blockLimit) else { return nil }
        blockBytes = Int(follows)
        socket = bytes.loadUnaligned(fromByteOffset: 24, as: Int32.self)
        shift = String(decoding: bytes[28..<56].prefix { $0 != 0 }, as: UTF8.self)
        signalMask = bytes.loadUnaligned(fromByteOffset: 56, as: UInt64.self)
    }

    /// Takes the strings of a call apart; nil when there are not as many as it said.
    package func strings(in block: [UInt8]) -> (arguments: StringBlock, environment: StringBlock)? {
        var at = 0
        for _ in 0..<argumentCount {
            guard let end = block[at...].firstIndex(of: 0) else { return nil }
            at = end + 1
        }
        guard argumentCount > 0, let arguments = StringBlock(bytes: Array(block[..<at])),
            let environment = StringBlock(bytes: Array(block[at...])), environment.count == environmentCount
        else { return nil }
        return (arguments, environment)
    }
}

/// What a node says to a shim: 32 bytes, and descriptors.
///
///      0  4  magic "FKSX"            8  4  exit status or signal
///      4  2  version                12  4  flags of a shadow
///      6  2  kind                   16 16  token of a target
package struct ShimAnswer: Hashable, Sendable {
    package enum Kind: UInt16, Sendable {
        /// Execute the original; also after `target` and `committed` when none was started. One descriptor may come
        /// along: the original.
        case original = 1
        /// A target will answer: pass signals on.
        case target = 2
        /// The target is about to be started: the original must not run by itself any more.
        case committed = 3
        /// The target has the standard streams.
        case started = 4
        case exited = 5
        case signaled = 6
        /// Execute the original with its streams copied.
        case shadow = 7
    }

    /// The flags of a shadow, in the order of the descriptors that come along, but for `mergesErrors`, which has none.
    package struct Streams: OptionSet, Hashable, Sendable {
        package var rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let input = Streams(rawValue: 1)
        package static let output = Streams(rawValue: 2)
        package static let errors = Streams(rawValue: 4)
        /// Standard error is the same open file as standard output.
        package static let mergesErrors = Streams(rawValue: 8)
        /// The first descriptor is the original.
        package static let original = Streams(rawValue: 16)
        /// With `Kind.shadow`: others write to where the output goes, so the shim carries it itself, with the original as
        /// its child, and ends when everything is there.
        package static let waits = Streams(rawValue: 64)
        /// With `Kind.original`: the last descriptor is standard input, of which the node had read.
        package static let replacedInput = Streams(rawValue: 32)
    }

    package var kind: Kind
    package var value: Int32 = 0
    package var streams: Streams = []
    package var token: CallToken?

    package init(_ kind: Kind, value: Int32 = 0, streams: Streams = [], token: CallToken? = nil) {
        self.kind = kind
        self.value = value
        self.streams = streams
        self.token = token
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value) { bytes += $0 } }
        append(ShimHead.magic)
        append(ShimHead.version)
        append(kind.rawValue)
        append(value)
        append(streams.rawValue)
        bytes += token?.bytes ?? [UInt8](repeating: 0, count: 16)
        return bytes
    }
}

/// What a target under way is known by, also to the next node: 16 hexadecimal digits.
package struct CallToken: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// A fresh one.
    package init() {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        text = String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// nil unless these are 16 hexadecimal digits.
    package init?(_ bytes: some Collection<UInt8>) {
        let digits = Array("0123456789abcdef".utf8)
        guard bytes.count == 16, bytes.allSatisfy(digits.contains) else { return nil }
        text = String(decoding: bytes, as: UTF8.self)
    }

    package var bytes: [UInt8] { Array(text.utf8) }
    package var description: String { text }
}
