import JSON
import Linux

/// Reads a recording line by line, strictly.
///
/// Invariants
/// 1. Any bytes give a recording or an error with the line; none trap. (test: `no recording makes the reader trap`)
/// 2. A recording that was changed after it was written is refused: by what a line says, or by the checksum in the last.
///    (test: `an edited recording is refused with the line`)
/// 3. A recording without its last line is told apart: refused, or read up to its last whole line when that is asked for.
///    (test: `a recording cut off anywhere is refused, and read on request up to its last whole line`)
package struct RecordingReader {
    /// What becomes of a recording whose end is missing.
    package enum CutOff: Sendable { case refused, accepted }

    private let cutOff: CutOff
    private var recording: Recording?
    private var line = 0
    private var checksum = LineChecksum()
    private var numbers: Set<Int> = []
    /// Parents that lines refer to and that must be there at the end: number and line.
    private var parents: [(number: Int, line: Int)] = []
    /// What the checksum says, which is said last: an error that names the line is worth more.
    private var changed: RecordingError?
    /// A line as far as it has come.
    private var rest: [UInt8] = []

    package init(cutOff: CutOff = .refused) { self.cutOff = cutOff }

    /// A whole recording in memory.
    package static func read(_ bytes: [UInt8], cutOff: CutOff = .refused) throws(RecordingError) -> Recording {
        var reader = RecordingReader(cutOff: cutOff)
        try reader.add(bytes[...])
        return try reader.finish()
    }

    /// Takes the next part of the file, of any length.
    package mutating func add(_ bytes: ArraySlice<UInt8>) throws(RecordingError) {
        var bytes = bytes
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            let whole = rest.isEmpty ? Array(bytes[..<end]) : rest + bytes[..<end]
            rest = []
            try take(whole)
            bytes = bytes[(end + 1)...]
        }
        rest += bytes
    }

    /// What was read, once there is no more.
    package mutating func finish() throws(RecordingError) -> Recording {
        guard var recording else {
            let problem = rest.isEmpty ? "the file is empty" : "the file ends within its first line"
            throw RecordingError(
                line: 1, problem: problem, advice: "A recording begins with a line that says what it is.")
        }
        if recording.ending == nil {
            guard cutOff == .accepted else {
                throw RecordingError(
                    line: line + 1,
                    problem: rest.isEmpty ? "the recording is cut off here" : "the recording is cut off in this line",
                    advice:
                        "Whoever wrote it did not come to the end. It can be read up to here when that is asked for.")
            }
        } else if !rest.isEmpty {
            throw RecordingError(line: line + 1, problem: "there is more after the end of the recording")
        }
        // Children are written before their parents when they end before them: only now can all be there.
        if recording.ending != nil, let missing = parents.first(where: { !numbers.contains($0.number) }) {
            throw RecordingError(
                line: missing.line, problem: "parent.number: no process of the recording has number \(missing.number)")
        }
        if let changed { throw changed }
        if recording.ending == nil {
            for index in recording.processes.indices {
                if let number = recording.processes[index].parent.number, !numbers.contains(number) {
                    recording.processes[index].parent.number = nil
                }
            }
        }
        return recording
    }

    private mutating func take(_ bytes: [UInt8]) throws(RecordingError) {
        line += 1
        guard recording?.ending == nil else { throw error("there is more after the end of the recording") }
        let json: JSONValue
        do { json = try JSONParser.parse(bytes) } catch {
            throw self.error("column \(error.column): expected \(error.expected), found \(error.found)")
        }
        do { try take(json) } catch { throw self.error("\(error)") }
        checksum.add(bytes)
        checksum.add(CollectionOfOne(UInt8(ascii: "\n")))
    }

    private mutating func take(_ json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        guard recording != nil else {
            guard reader.has(RecordingHeader.formatKey) else {
                throw JSONShapeError(
                    path: "", problem: "this is no recording: its first line has no \"\(RecordingHeader.formatKey)\"")
            }
            recording = Recording(header: try RecordingHeader(&reader))
            return
        }
        let kind: String = try reader.required("kind")
        switch kind {
        case "origin": recording!.origins.append(try ProgramOrigin(&reader))
        case "process": try add(try RecordedProcess(&reader), reader)
        case "end":
            let end = try RecordingEnd(&reader)
            try check(&reader)
            recording!.ending = end
        default: throw reader.error("kind", "expected \"origin\", \"process\" or \"end\", found \"\(kind)\"")
        }
    }

    private mutating func add(_ process: RecordedProcess, _ reader: JSONObjectReader) throws(JSONShapeError) {
        guard numbers.insert(process.number).inserted else {
            throw reader.error("number", "another process has number \(process.number)")
        }
        for origin in process.origins where !recording!.origins.indices.contains(origin) {
            throw reader.error("origins", "the recording has no origin \(origin)")
        }
        if let number = process.parent.number { parents.append((number, line)) }
        recording!.processes.append(process)
    }

    /// What the last line says of those before it. A recording that was edited on purpose may leave both out.
    private mutating func check(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        if let lines = try reader.amount("lines"), lines != line - 1 {
            throw reader.error("lines", "\(lines) lines were written before this one, and there are \(line - 1)")
        }
        if let written: String = try reader.optional("checksum"), written != checksum.text {
            changed = error(
                """
                checksum: the lines before were changed after they were written. Take "lines" and "checksum" out of this line \
                to have them read as they are
                """)
        }
        try reader.refuseUnknown()
    }

    private func error(_ problem: String) -> RecordingError { RecordingError(line: line, problem: problem) }
}

/// Why a recording cannot be read.
package struct RecordingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's name; empty where there is none.
    package var file = ""
    /// From 1.
    package var line: Int
    package var problem: String
    package var advice = ""

    package var description: String {
        let place = file.isEmpty ? "read the recording: line \(line)" : "read the recording \(file): line \(line)"
        return advice.isEmpty ? "\(place): \(problem)" : "\(place): \(problem). \(advice)"
    }
}
