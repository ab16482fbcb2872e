import JSON
import Linux
import Observation
import TestKit
import Testing

@Suite struct RecordingTests {
    @Test func `what was written is read as it was`() throws {
        let bytes = RecordingEncoder.bytes(Examples.recording)
        #expect(try RecordingReader.read(bytes) == Examples.recording)
    }

    @Test func `any bytes come back from a recording as they were`() {
        var chance = SeededChance(seed: 11)
        #expect(RecordedText.text(Array("/tmp/é\n".utf8)) == "/tmp/é\n")
        #expect(RecordedText.text([0x2F, 0xFF]) == "/\u{10F7FF}")
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<12, using: &chance)).map { _ in
                [UInt8(0x2F), 0x41, 0xC3, 0xA9, 0xF4, 0x8F, 0x9F, 0xBF, 0xFF, 0x0A].randomElement(using: &chance)!
            }
            #expect(RecordedText.bytes(RecordedText.text(bytes)) == bytes, "\(chance)")
        }
    }

    @Test func `a recording cut off anywhere is refused, and read on request up to its last whole line`() throws {
        let bytes = RecordingEncoder.bytes(Examples.recording)
        let headerEnd = bytes.firstIndex(of: UInt8(ascii: "\n"))! + 1
        for count in 0..<bytes.count {
            let part = Array(bytes[..<count])
            let lines = part.count { $0 == UInt8(ascii: "\n") }
            #expect(throws: RecordingError.self) { try RecordingReader.read(part) }
            guard count >= headerEnd else { continue }
            let found = try RecordingReader.read(part, cutOff: .accepted)
            #expect(found.ending == nil)
            #expect(found.origins.count + found.processes.count == lines - 1)
        }
        let error = #expect(throws: RecordingError.self) { try RecordingReader.read(Array(bytes.dropLast(5))) }
        #expect(error?.line == 6)
        #expect(error?.description.contains("cut off in this line") == true)
    }

    @Test(arguments: [
        (3, "\"pid\":101", "\"pid\":\"101\"", "pid: expected a whole number"),
        (3, "\"pid\":101", "\"pod\":101", "pid: expected a whole number"),
        (3, "\"uid\":0", "\"uuid\":0", "uuid: not a known field"),
        (3, "\"at\":5000", "\"at\":1500", "exit.at: 1500 comes before what it follows, at 2000"),
        (3, "\"status\":0", "\"status\":300", "expected 0 to 255, found 300"),
        (3, "\"origins\":[0]", "\"origins\":[4]", "the recording has no origin 4"),
        (4, "\"number\":2", "\"number\":1", "another process has number 1"),
        (
            4, "\"parent\":{\"pid\":50,\"number\":1", "\"parent\":{\"pid\":50,\"number\":9",
            "no process of the recording has number 9"
        ),
        (5, "{\"kind\"", "{kind", "expected a member's name"),
        (5, "\"cpuNanoseconds\":3", "\"cpuNanoseconds\":-3", "expected a number that is not negative, found -3"),
        (6, "\"lines\":5", "\"lines\":6", "6 lines were written before this one, and there are 5"),
        (1, "\"forkless-recording\":1", "\"forkless-recording\":2", "format 2 is not known here"),
        (1, "2026-03-01T", "2026-13-01T", "start: expected a time"),
        // A change that makes sense by itself shows in the checksum, at the end.
        (3, "\"at\":5000", "\"at\":5001", "the lines before were changed after they were written"),
    ])
    func `an edited recording is refused with the line`(_ line: Int, _ old: String, _ new: String, _ problem: String)
        throws
    {
        var lines = String(decoding: RecordingEncoder.bytes(Examples.recording), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        #expect(lines[line - 1].contains(old))
        lines[line - 1] = replace(old, by: new, in: lines[line - 1])
        let edited = lines.map { $0 + "\n" }.joined()
        let error = #expect(throws: RecordingError.self) { try RecordingReader.read(Array(edited.utf8)) }
        #expect(error?.line == (problem.contains("lines before") ? 6 : line))
        #expect(error?.description.contains(problem) == true, "\(error as Any)")
    }

    @Test func `lines that are missing, doubled or added show`() throws {
        let lines = String(decoding: RecordingEncoder.bytes(Examples.recording), as: UTF8.self)
            .split(separator: "\n").map { String($0) + "\n" }
        func read(_ lines: [String]) throws -> Recording { try RecordingReader.read(Array(lines.joined().utf8)) }
        for index in lines.indices {
            var fewer = lines
            fewer.remove(at: index)
            #expect(throws: RecordingError.self) { try read(fewer) }
        }
        #expect(throws: RecordingError.self) { try read(lines + [lines[4]]) }
        #expect(throws: RecordingError.self) { try read(lines + ["x"]) }
        #expect(throws: RecordingError.self) { try read([lines[0]] + lines) }
    }

    @Test func `a recording edited on purpose is read when its checks are taken out`() throws {
        var lines = String(decoding: RecordingEncoder.bytes(Examples.recording), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        lines.remove(at: 4)
        lines[4] = String(lines[4][..<lines[4].range(of: ",\"lines\"")!.lowerBound]) + "}"
        let read = try RecordingReader.read(Array(lines.map { $0 + "\n" }.joined().utf8))
        #expect(read.processes.count == 2)
        #expect(read.ending == Examples.recording.ending)
    }

    @Test func `no recording makes the reader trap`() {
        var chance = SeededChance(seed: 5)
        let bytes = RecordingEncoder.bytes(Examples.recording)
        for _ in 0..<3000 {
            var broken = bytes
            for _ in 0...Int.random(in: 0..<3, using: &chance) {
                let at = broken.indices.randomElement(using: &chance)!
                switch Int.random(in: 0..<3, using: &chance) {
                case 0: broken[at] = UInt8.random(in: 0...255, using: &chance)
                case 1: broken.remove(at: at)
                default: broken.insert(UInt8(ascii: "9"), at: at)
                }
            }
            // What is still a recording can be counted, whatever its numbers are.
            if let read = try? RecordingReader.read(broken, cutOff: .accepted) { _ = read.programs }
        }
    }

    @Test func `a file holds what was appended and does not replace another`() throws {
        let place = try TemporaryDirectory()
        let path = place.path("a.recording")
        var file = try RecordingFile(creating: path, Examples.header)
        for origin in Examples.recording.origins { try file.append(origin) }
        for process in Examples.recording.processes { try file.append(process) }
        try file.flush()
        #expect(throws: RecordingError.self) { try RecordingFile.read(path) }
        #expect(try RecordingFile.read(path, cutOff: .accepted).processes == Examples.recording.processes)
        try file.finish(Examples.recording.ending!)
        #expect(try RecordingFile.read(path) == Examples.recording)
        #expect(try Files.status(path).permissions == 0o600)
        #expect(throws: SystemError.self) { _ = try RecordingFile(creating: path, Examples.header) }
    }

    @Test(.enabled(if: isRoot))
    func `a full disk is an error, and what was written before it can be read`() async throws {
        let place = try TemporaryDirectory()
        let mounted = try await CommandRunner.run([
            "mount", "-t", "tmpfs", "-o", "size=64k", "forkless-test", place.path,
        ])
        #expect(mounted.status.isSuccess)
        let path = place.path("small")
        var error: SystemError?
        do {
            var file = try RecordingFile(creating: path, Examples.header)
            for number in 1...2000 { try file.append(Examples.process(number, "/bin/a")) }
        } catch let full { error = full }
        #expect(error?.code == .noSpace)
        #expect(error?.description.contains("can be read as a recording that is cut off") == true)
        #expect(try RecordingFile.read(path, cutOff: .accepted).header == Examples.header)
        _ = try await CommandRunner.run(["umount", place.path])
    }

    private func replace(_ old: String, by new: String, in line: String) -> String {
        guard let at = line.range(of: old) else { return line }
        return line.replacingCharacters(in: at, with: new)
    }
}

extension String {
    /// The first place of a text.
    func range(of text: String) -> Range<String.Index>? {
        indices.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
    }

    func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
