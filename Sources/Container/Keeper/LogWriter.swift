import Linux

/// Writes a program's output to its log file, line by line, in the format of the Container Runtime Interface:
/// `<RFC 3339 time> stdout|stderr F|P <text>`. P: no line end follows (a line too long, or the output's very end).
///
/// Invariants
/// 1. Memory is bounded: a line longer than `lineBytesLimit` is written in parts.
/// 2. A disk that is full stops no program: what cannot be written is counted and dropped.
///    (test: `a full disk loses log lines, counts them and lets the program run`)
/// 3. A log and the one rotated before it are never larger together than twice the limit.
///    (test: `an output flood is bounded by rotation`)
/// 4. The file holds whole lines only: what a full disk cut off is taken back.
struct LogWriter: ~Copyable {
    enum Stream: Sendable {
        case output, error

        fileprivate var tag: [UInt8] {
            switch self {
            case .output: Array(" stdout ".utf8)
            case .error: Array(" stderr ".utf8)
            }
        }
    }

    static let lineBytesLimit = 16 << 10
    /// The smallest limit of a file: the longest line fits.
    static let fileBytesLeast = 32 << 10
    static let fileName = "log"
    static let rotatedName = "log.1"

    private let directory: OwnedFD
    private var file: OwnedFD?
    private var fileBytes = 0
    private let fileBytesLimit: Int
    private var outputTail: [UInt8] = []
    private var errorTail: [UInt8] = []
    /// Bytes of output that could not be written.
    private(set) var lostBytes = 0

    /// - Parameter directory: where the log is; opened by the node.
    init(directory: consuming OwnedFD, fileBytesLimit: Int) {
        self.directory = directory
        self.fileBytesLimit = max(fileBytesLimit, Self.fileBytesLeast)
    }

    /// Takes a chunk of output as it was read.
    mutating func write(_ chunk: ArraySlice<UInt8>, from stream: Stream, at time: Timestamp) {
        var lines = LineBuffer(stream: stream, time: time)
        var tail = takeTail(stream)
        var rest = chunk
        while let end = rest.firstIndex(of: 10) {
            var line = rest[rest.startIndex..<end]
            rest = rest[(end + 1)...]
            if !tail.isEmpty {
                line = (tail + line)[...]
                tail = []
            }
            writeParts(&line, &lines)
            add(line, full: true, &lines)
        }
        var last = tail.isEmpty ? rest : (tail + rest)[...]
        writeParts(&last, &lines)
        putTail(Array(last), stream)
        store(&lines)
    }

    /// Writes what a line has beyond the limit as parts of it and leaves the rest.
    private mutating func writeParts(_ line: inout ArraySlice<UInt8>, _ lines: inout LineBuffer) {
        while line.count > Self.lineBytesLimit {
            add(line.prefix(Self.lineBytesLimit), full: false, &lines)
            line = line.dropFirst(Self.lineBytesLimit)
        }
    }

    /// Adds a record, and stores those before it when they are enough for one write.
    private mutating func add(_ line: ArraySlice<UInt8>, full: Bool, _ lines: inout LineBuffer) {
        if lines.bytes.count + line.count > Self.fileBytesLeast - LineBuffer.overheadMost { store(&lines) }
        lines.append(line, full: full)
    }

    /// Writes what has no line end, at the end of the output.
    mutating func finish(_ stream: Stream, at time: Timestamp) {
        let tail = takeTail(stream)
        guard !tail.isEmpty else { return }
        var lines = LineBuffer(stream: stream, time: time)
        lines.append(tail[...], full: false)
        store(&lines)
    }

    private mutating func store(_ lines: inout LineBuffer) {
        guard !lines.bytes.isEmpty else { return }
        defer { lines.clear() }
        do {
            if file == nil { try open() }
            if fileBytes + lines.bytes.count > fileBytesLimit, fileBytes > 0 {
                try rotate()
                try open()
            }
            guard let raw = file?.raw else { return }
            do { try Files.writeAll(lines.bytes, to: raw, name: Self.fileName) } catch {
                try? Files.shorten(raw, to: fileBytes, name: Self.fileName)
                throw error
            }
            fileBytes += lines.bytes.count
        } catch {
            lostBytes += lines.contentBytes
        }
    }

    private mutating func open() throws(SystemError) {
        let opened = try Files.open(Self.fileName, Files.appendFlags, mode: 0o640, at: directory.raw)
        fileBytes = (try? Files.status(of: opened.raw).size) ?? 0
        // It lives as long as the sandbox: out of the low numbers, which every start copies.
        file = try opened.duplicate(lowest: LongLived.lowestDescriptor)
    }

    private mutating func rotate() throws(SystemError) {
        file = nil
        fileBytes = 0
        try Files.rename(Self.fileName, to: Self.rotatedName, at: directory.raw)
    }

    private mutating func takeTail(_ stream: Stream) -> [UInt8] {
        defer { putTail([], stream) }
        switch stream {
        case .output: return outputTail
        case .error: return errorTail
        }
    }

    private mutating func putTail(_ tail: [UInt8], _ stream: Stream) {
        switch stream {
        case .output: outputTail = tail
        case .error: errorTail = tail
        }
    }
}

/// Lines being formatted for one write.
private struct LineBuffer {
    let stream: LogWriter.Stream
    let stamp: [UInt8]
    /// A record without its text: the time with nanoseconds, the stream, the mark, and spaces.
    static let overheadMost = 64
    var bytes: [UInt8] = []
    var contentBytes = 0

    init(stream: LogWriter.Stream, time: Timestamp) {
        self.stream = stream
        stamp = time.utf8
    }

    mutating func append(_ text: ArraySlice<UInt8>, full: Bool) {
        bytes += stamp
        bytes += stream.tag
        bytes += [full ? UInt8(ascii: "F") : UInt8(ascii: "P"), UInt8(ascii: " ")]
        bytes += text
        bytes.append(10)
        contentBytes += text.count + (full ? 1 : 0)
    }

    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        contentBytes = 0
    }
}

/// Descriptors that live as long as a sandbox are kept out of the low numbers: each start copies those below the
/// highest it needs, so the low ones are for what a start needs.
enum LongLived {
    static let lowestDescriptor: CInt = 256
}
