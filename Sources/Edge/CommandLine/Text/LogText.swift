import Engine
import Linux

/// Lines of a log as they were written, with the time before each where that is wanted.
///
/// Invariant: without times, the bytes are exactly those that the program wrote to each stream: a line that it has
/// not ended has no newline. (test: `a line that was not ended is not ended here`)
struct LogText {
    let showsTimes: Bool
    /// Whether the last part of each stream left its line open: its rest gets no second time.
    private var isOpen: [LogLine.Stream: Bool] = [:]

    init(showsTimes: Bool) { self.showsTimes = showsTimes }

    mutating func bytes(of line: LogLine) -> [UInt8] {
        var bytes: [UInt8] = []
        if showsTimes, isOpen[line.stream] != true { bytes += Array("\(line.time) ".utf8) }
        bytes += line.content
        if line.isComplete { bytes.append(UInt8(ascii: "\n")) }
        isOpen[line.stream] = !line.isComplete
        return bytes
    }
}
