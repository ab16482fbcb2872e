/// Bytes that come in parts, whose lines are wanted whole.
struct WaitingLines {
    private var waiting: [UInt8] = []

    /// The lines that are complete with this part; what is left waits for the next. Empty lines are none.
    mutating func take(_ part: [UInt8]) -> [[UInt8]] {
        waiting += part
        guard let end = waiting.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = waiting[..<end].split(separator: UInt8(ascii: "\n")).map(Array.init)
        waiting.removeSubrange(...end)
        return lines
    }
}
