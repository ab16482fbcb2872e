internal import JSON

/// Sizes of a client's terminal, a stream of JSON objects: {"Width":80,"Height":24}. Bounded: a client that sends what
/// is none is not listened to.
struct TerminalSizes {
    private static let limit = 1024
    private var begun: [UInt8] = []
    private var isBroken = false

    mutating func take(_ bytes: [UInt8]) -> [TerminalSize] {
        var sizes: [TerminalSize] = []
        for byte in bytes where !isBroken {
            begun.append(byte)
            if byte == UInt8(ascii: "}") {
                if let value = try? JSONParser.parse(begun), let columns = value["Width"]?.integer,
                    let rows = value["Height"]?.integer, let columns = UInt16(exactly: columns),
                    let rows = UInt16(exactly: rows)
                {
                    sizes.append(TerminalSize(columns: columns, rows: rows))
                } else {
                    isBroken = true
                }
                begun = []
            } else if begun.count > Self.limit {
                isBroken = true
            }
        }
        return sizes
    }
}
