import Linux

/// Turns the bytes of a log file into the lines that a program wrote. Pure.
///
/// The file has the format of the Container Runtime Interface, `<RFC 3339 time> stdout|stderr F|P <text>`: a line too
/// long for one entry comes in parts (P) whose last is full (F).
///
/// Invariants
/// 1. However the bytes are cut into chunks, the same lines come out. (test: `the cuts between chunks leave no trace`)
/// 2. Memory is bounded: a line beyond `lineBytesLimit` comes out in pieces that are not complete.
///    (test: `an endless line comes out in pieces`)
/// 3. An entry that is malformed is passed over and counted; the next one is read.
///    (test: `a damaged entry is passed over and counted`)
package struct LogJoiner: Sendable {
    /// Longest line that is put together.
    package static let lineBytesLimit = 1 << 20

    /// Entries that could not be read.
    package private(set) var damaged = 0

    private var tail: [UInt8] = []
    private var partial: [LogLine.Stream: LogLine] = [:]

    package init() {}

    /// Takes the next bytes of the file and returns the lines that are whole now.
    package mutating func add(_ bytes: [UInt8]) -> [LogLine] {
        var lines: [LogLine] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 10) {
            if tail.isEmpty {
                take(rest[..<end], &lines)
            } else {
                tail += rest[..<end]
                let entry = tail
                tail = []
                take(entry[...], &lines)
            }
            rest = rest[(end + 1)...]
        }
        tail += rest
        return lines
    }

    /// The parts of lines whose ends have not come, at the end of the output.
    package mutating func finish() -> [LogLine] {
        let parts = partial.values.sorted { $0.time < $1.time }
        partial = [:]
        return parts
    }

    private mutating func take(_ entry: ArraySlice<UInt8>, _ lines: inout [LogLine]) {
        let fields = entry.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 4, let time = Timestamp(utf8: fields[0]),
            let stream = LogLine.Stream(rawValue: String(decoding: fields[1], as: UTF8.self)), fields[2].count == 1,
            let tag = fields[2].first, tag == UInt8(ascii: "F") || tag == UInt8(ascii: "P")
        else {
            damaged += 1
            return
        }
        var line = partial[stream] ?? LogLine(time: time, stream: stream, content: [], isComplete: false)
        line.content += fields[3]
        if tag == UInt8(ascii: "F") {
            line.isComplete = true
            partial[stream] = nil
            lines.append(line)
        } else if line.content.count >= Self.lineBytesLimit {
            partial[stream] = nil
            lines.append(line)
        } else {
            partial[stream] = line
        }
    }
}
