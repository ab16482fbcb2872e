/// A file within a Dockerfile: `<<NAME`, its lines, and a line that is NAME.
package struct Heredoc: Hashable, Sendable {
    package var name: String
    /// Variables in it are replaced: no part of the name is quoted (COPY and ADD; for RUN the shell does it).
    package var expands: Bool
    /// `<<-`: tabs at the beginning of its lines, and of the line that ends it, go.
    package var dropsTabs: Bool
    /// As it stands in the file.
    package var content: String

    package init(name: String, expands: Bool, dropsTabs: Bool, content: String) {
        self.name = name
        self.expands = expands
        self.dropsTabs = dropsTabs
        self.content = content
    }

    /// The lines without the tabs that `<<-` drops.
    package var body: String {
        guard dropsTabs else { return content }
        var kept: [UInt8] = []
        var atStart = true
        for byte in content.utf8 {
            if atStart, byte == UInt8(ascii: "\t") { continue }
            atStart = byte == UInt8(ascii: "\n")
            kept.append(byte)
        }
        return kept.text
    }

    /// The heredoc that a word of an instruction opens, its content still missing. nil: it opens none.
    ///
    /// As in Docker a number may stand before it (`3<<EOF`), but no other text.
    static func opened(by word: [UInt8]) throws(WordError) -> Heredoc? {
        var rest = word[...].drop(while: \.isDigit)
        guard rest.starts(with: [UInt8(ascii: "<"), UInt8(ascii: "<")]) else { return nil }
        rest = rest.dropFirst(2)
        let dropsTabs = rest.first == UInt8(ascii: "-")
        if dropsTabs { rest = rest.dropFirst() }
        guard !rest.isEmpty, !rest.contains(UInt8(ascii: "<")) else { return nil }
        let quoted = rest.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") || $0 == UInt8(ascii: "\\") }
        // Variables in a name stand for themselves, as in a shell.
        let name =
            quoted
            ? try WordExpansion(escape: UInt8(ascii: "\\"), keepsVariables: true) { _ in nil }.word(rest.text)
            : rest.text
        guard !name.isEmpty else { throw WordError("a heredoc needs a name after <<") }
        return Heredoc(name: name, expands: !quoted, dropsTabs: dropsTabs, content: "")
    }
}
