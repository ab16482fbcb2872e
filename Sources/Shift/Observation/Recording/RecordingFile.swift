import Glibc
package import Linux

/// A recording on its way to a file.
///
/// Lines are written whole, several at once. A file that cannot take more (a full disk) ends with its last whole line as
/// far as the file system lets it, and the error says so: what is there can be read as a recording that is cut off.
package struct RecordingFile: ~Copyable, Sendable {
    /// So many bytes are kept back before they are written.
    private static let batchBytes = 64 << 10

    package let path: String
    private let fd: OwnedFD
    private var encoder: RecordingEncoder
    private var waiting: [UInt8] = []
    private var writtenBytes: Int

    /// Makes the file, readable for its owner alone: command lines may hold secrets.
    ///
    /// - Throws: `SystemError`; EEXIST when there is a file of that name.
    package init(creating path: String, _ header: RecordingHeader) throws(SystemError) {
        var encoder = RecordingEncoder()
        let bytes = encoder.header(header)
        let fd = try Self.create(path)
        try Self.write(bytes, to: fd.raw, path, writtenBytes: 0)
        self.fd = fd
        self.path = path
        self.encoder = encoder
        writtenBytes = bytes.count
    }

    private static func create(_ path: String) throws(SystemError) -> OwnedFD {
        do { return try Files.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600) } catch {
            guard error.code == .exists else { throw error }
            throw SystemError(
                "create the recording", path, code: error.code,
                advice: "Nothing is overwritten: take another name or remove it.")
        }
    }

    package mutating func append(_ origin: ProgramOrigin) throws(SystemError) { try write(encoder.origin(origin)) }

    package mutating func append(_ process: RecordedProcess) throws(SystemError) { try write(encoder.process(process)) }

    /// Writes the last line; the recording is then complete.
    package consuming func finish(_ end: RecordingEnd) throws(SystemError) {
        waiting += encoder.end(end)
        try flush()
        try Files.synchronize(fd.raw, name: path)
    }

    /// Writes what was kept back.
    package mutating func flush() throws(SystemError) {
        let bytes = waiting
        waiting = []
        try Self.write(bytes, to: fd.raw, path, writtenBytes: writtenBytes)
        writtenBytes += bytes.count
    }

    private static func write(
        _ bytes: [UInt8], to fd: CInt, _ path: String, writtenBytes: Int
    ) throws(SystemError) {
        do { try Files.writeAll(bytes, to: fd, name: path) } catch {
            // Half a line is of no use to anybody.
            try? Files.shorten(fd, to: writtenBytes, name: path)
            throw SystemError(
                "write the recording", path, code: error.code,
                advice: "What it holds up to here can be read as a recording that is cut off.")
        }
    }

    private mutating func write(_ line: [UInt8]) throws(SystemError) {
        waiting += line
        if waiting.count >= Self.batchBytes { try flush() }
    }

    /// Writes a whole recording, which has an end.
    package static func write(_ recording: Recording, to path: String) throws(SystemError) {
        guard let ending = recording.ending else {
            preconditionFailure("a recording that is written as a whole has an end")
        }
        var file = try RecordingFile(creating: path, recording.header)
        for origin in recording.origins { try file.append(origin) }
        for process in recording.processes { try file.append(process) }
        try file.finish(ending)
    }

    /// Reads a recording.
    ///
    /// - Throws: `SystemError` when the file cannot be read, `RecordingError` when it is none.
    package static func read(_ path: String, cutOff: RecordingReader.CutOff = .refused) throws -> Recording {
        let fd = try Files.open(path, O_RDONLY)
        var reader = RecordingReader(cutOff: cutOff)
        do {
            while true {
                let part = try Files.readSome(fd.raw, count: 1 << 20, name: path)
                if part.isEmpty { return try reader.finish() }
                try reader.add(part[...])
            }
        } catch var error as RecordingError {
            error.file = path
            throw error
        }
    }
}
