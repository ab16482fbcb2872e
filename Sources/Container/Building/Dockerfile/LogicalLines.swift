/// An instruction's text: continuation lines joined, comments within it left out, its heredocs read.
struct LogicalLine: Hashable, Sendable {
    /// Of its first line, counted from 1.
    var number: Int
    var text: [UInt8]
    var heredocs: [Heredoc]
}

/// Cuts a Dockerfile into instructions, as the reference says under "Format" and "Here-Documents".
///
/// Invariants
/// 1. Every byte of the file belongs to an instruction, a heredoc, a comment, a directive or white space; none is
///    skipped because it could not be read. (test: `what is no text is refused with its line`)
/// 2. A directive counts only before anything else. (test: `a directive after anything else is a comment`)
struct LogicalLines {
    /// What takes the meaning from the next character, and continues lines at their end.
    private(set) var escape = UInt8(ascii: "\\")
    private(set) var lines: [LogicalLine] = []
    private let physical: [ArraySlice<UInt8>]
    private var next = 0

    init(_ bytes: [UInt8]) throws(DockerfileError) {
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        physical = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in physical.enumerated() {
            guard String(validating: line, as: UTF8.self) != nil else {
                throw DockerfileError(line: index + 1, "is not UTF-8")
            }
            guard !line.contains(0) else { throw DockerfileError(line: index + 1, "holds a NUL byte") }
        }
        try directives()
        while next < physical.count { try instruction() }
    }

    /// `# name=value` lines at the top. The first line that is anything else ends them; so does a name that is none.
    private mutating func directives() throws(DockerfileError) {
        var seen: Set<String> = []
        while next < physical.count {
            guard let (name, value) = Self.directive(physical[next]) else { return }
            guard ["escape", "syntax", "check"].contains(name) else { return }
            let number = next + 1
            guard seen.insert(name).inserted else { throw DockerfileError(line: number, "a second \(name) directive") }
            switch name {
            case "escape":
                guard value == "\\" || value == "`" else {
                    throw DockerfileError(line: number, "escape is \\ or `, not \"\(value)\"")
                }
                escape = value.utf8.first!
            case "syntax": try Self.checkSyntax(value, number)
            default: throw DockerfileError(line: number, "the directive check is not supported: remove the line")
            }
            next += 1
        }
    }

    /// Another front end would read the file by other rules; the tagged first version is what this parser follows.
    private static func checkSyntax(_ value: String, _ number: Int) throws(DockerfileError) {
        var parts = value.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 3, parts[0].contains(".") { parts.removeFirst() }
        let image = parts.last.map { $0.split(separator: ":", omittingEmptySubsequences: false) } ?? []
        let tag = image.count == 2 ? image[1] : image.count == 1 ? "latest" : ""
        let isVersionOne = tag == "1" || (tag.hasPrefix("1.") && tag.utf8.allSatisfy { $0.isDigit || $0 == 0x2E })
        guard parts.count == 2, parts[0] == "docker", image.first == "dockerfile", isVersionOne || tag == "latest"
        else {
            throw DockerfileError(
                line: number, "syntax \"\(value)\" asks for another front end: only docker/dockerfile:1 is built in")
        }
    }

    private static func directive(_ line: ArraySlice<UInt8>) -> (name: String, value: String)? {
        let line = line.trimmed
        guard line.first == UInt8(ascii: "#"), let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let name = line[1..<equals].trimmed
        let value = line[(equals + 1)...].trimmed
        let isName = name.allSatisfy { ($0.beginsName && $0 != UInt8(ascii: "_")) || $0.isDigit }
        guard !name.isEmpty, !value.isEmpty, isName else { return nil }
        return (name.text.lowercased(), value.text)
    }

    private mutating func instruction() throws(DockerfileError) {
        let number = next + 1
        var text: [UInt8] = []
        var continues = true
        var isFirst = true
        while continues, next < physical.count {
            let line = physical[next]
            next += 1
            let content = line.drop(while: \.isDockerSpace)
            // Comments and empty lines may stand within an instruction; they do not end it.
            if content.isEmpty || content.first == UInt8(ascii: "#") {
                if isFirst { return }
                continue
            }
            // The white space before a continuation is part of the instruction (a quoted text may go on there).
            let part = withoutLineEnd(isFirst ? content : line)
            isFirst = false
            continues = false
            if let kept = withoutContinuation(part) {
                text += kept
                continues = true
            } else {
                text += part
            }
        }
        guard !text.trimmed.isEmpty else { return }
        var line = LogicalLine(number: number, text: text.trimmed, heredocs: [])
        try readHeredocs(&line)
        lines.append(line)
    }

    private func withoutLineEnd(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }

    /// nil: the line does not go on. Two escapes at the end are one that does not continue.
    private func withoutContinuation(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var line = line
        while line.last == UInt8(ascii: " ") || line.last == UInt8(ascii: "\t") { line.removeLast() }
        guard line.last == escape else { return nil }
        line.removeLast()
        return line.last == escape ? nil : line
    }

    private mutating func readHeredocs(_ line: inout LogicalLine) throws(DockerfileError) {
        let (command, rest) = RawWords.first(line.text)
        let name = command.text.uppercased()
        guard ["RUN", "COPY", "ADD"].contains(name) else { return }
        let arguments = RawWords.flags(rest, escape: escape).rest
        guard JSONForm.strings(arguments) == nil else { return }
        for word in RawWords.split(arguments, escape: escape) {
            let opened: Heredoc?
            do throws(WordError) { opened = try Heredoc.opened(by: word) } catch {
                throw DockerfileError(line: line.number, error.reason)
            }
            guard var heredoc = opened else { continue }
            heredoc.content = try content(of: heredoc, openedAt: line.number)
            line.heredocs.append(heredoc)
        }
    }

    private mutating func content(of heredoc: Heredoc, openedAt number: Int) throws(DockerfileError) -> String {
        var content: [UInt8] = []
        while next < physical.count {
            let line = physical[next]
            next += 1
            var end = withoutLineEnd(line)
            if heredoc.dropsTabs { end = end.drop { $0 == UInt8(ascii: "\t") } }
            if end.elementsEqual(heredoc.name.utf8) { return content.text }
            content += line
            content.append(UInt8(ascii: "\n"))
        }
        throw DockerfileError(line: number, "the heredoc \(heredoc.name) never ends: no line is \"\(heredoc.name)\"")
    }
}
