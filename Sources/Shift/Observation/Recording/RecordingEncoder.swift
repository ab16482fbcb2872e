import JSON

/// Writes a recording line by line: the header first, then origins, processes as they end, and the end.
///
/// Pure: it gives bytes and keeps what the last line has to say about all lines before.
package struct RecordingEncoder: Sendable {
    private var checksum = LineChecksum()
    private var lines = 0

    package init() {}

    package mutating func header(_ header: RecordingHeader) -> [UInt8] {
        precondition(lines == 0, "the header is the first line")
        return line(header.json)
    }

    package mutating func origin(_ origin: ProgramOrigin) -> [UInt8] { line(origin.json) }

    package mutating func process(_ process: RecordedProcess) -> [UInt8] { line(process.json) }

    package mutating func end(_ end: RecordingEnd) -> [UInt8] {
        line(end.json(lines: lines, checksum: checksum.text))
    }

    /// A whole recording.
    package static func bytes(_ recording: Recording) -> [UInt8] {
        var encoder = RecordingEncoder()
        var bytes = encoder.header(recording.header)
        for origin in recording.origins { bytes += encoder.origin(origin) }
        for process in recording.processes { bytes += encoder.process(process) }
        if let ending = recording.ending { bytes += encoder.end(ending) }
        return bytes
    }

    private mutating func line(_ json: JSONValue) -> [UInt8] {
        precondition(lines == 0 || json["kind"] != nil, "only the header has no kind")
        let bytes = JSONWriter.bytes(json) + [UInt8(ascii: "\n")]
        checksum.add(bytes)
        lines += 1
        return bytes
    }
}

/// The checksum of all lines before the last: FNV-1a with 64 bits. It shows that a recording was changed by mistake, and
/// protects from nobody who wants to change it.
struct LineChecksum: Sendable {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        var state = state
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        self.state = state
    }

    var text: String {
        let digits = String(state, radix: 16)
        return "fnv1a64:" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
