internal import Linux

/// What a program of RUN writes, line by line.
struct StepOutput {
    /// A longer line comes in pieces.
    static let lineBytes = 16 << 10

    private var line: [UInt8] = []

    /// The lines that are whole with these bytes.
    mutating func add(_ bytes: some Collection<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 10 || line.count >= Self.lineBytes { lines.append(take()) }
            if byte != 10 { line.append(byte) }
        }
        return lines
    }

    /// What is left at the end; nil: nothing.
    mutating func finish() -> String? { line.isEmpty ? nil : take() }

    /// What is no UTF-8 shows as replacement characters: it is for people.
    private mutating func take() -> String {
        defer { line = [] }
        var line = line[...]
        if line.last == 13 { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    /// Reads a pipe until nobody writes to it any more.
    static func read(_ pipe: SharedFD, _ take: @Sendable (String) async -> Void) async {
        var output = StepOutput()
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            do throws(SystemError) {
                guard let count = try Files.readAvailable(pipe.raw, into: &room) else {
                    try await Readiness.shared.readable(pipe.raw)
                    continue
                }
                if count == 0 { break }
                for line in output.add(room[..<count]) { await take(line) }
            } catch { break }
        }
        withExtendedLifetime(pipe) {}
        if let rest = output.finish() { await take(rest) }
    }
}
