/// Splits a line into words like a shell does, and does nothing else of what a shell does: blanks separate, quotes and
/// backslashes take away their meaning. There are no variables, no globs and no operators.
package enum ShellWords {
    package struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        package var problem: String
        package var description: String { problem }
    }

    /// - Throws: `Malformed` for a quote that is not closed, and for an operator that stands unquoted: a shell would do
    ///   something with it, and to pass it on as a word would hide that nobody does.
    package static func split(_ line: String) throws(Malformed) -> [String] {
        var words: [String] = []
        var word: String.UnicodeScalarView?
        var quote: Unicode.Scalar?
        var isEscaped = false
        for character in line.unicodeScalars {
            if isEscaped {
                isEscaped = false
                // Inside double quotes a backslash stands for itself except before these.
                if quote == "\"", character != "\"", character != "\\", character != "$", character != "`" { word?.append("\\") }
                word = (word ?? .init()) + [character]
            } else if let open = quote {
                if character == open {
                    quote = nil
                } else if open == "\"", character == "\\" {
                    isEscaped = true
                } else {
                    word?.append(character)
                }
            } else {
                switch character {
                case " ", "\t", "\n":
                    if let finished = word { words.append(String(finished)) }
                    word = nil
                case "'", "\"":
                    quote = character
                    word = word ?? .init()
                case "\\": isEscaped = true
                case "|", "&", ";", "<", ">", "(", ")", "$", "`":
                    throw Malformed(problem: "\"\(character)\" is for a shell, which does not run this: write sh -c '...' or quote it")
                default: word = (word ?? .init()) + [character]
                }
            }
        }
        if let quote { throw Malformed(problem: "the quote \(quote) is not closed") }
        if isEscaped { throw Malformed(problem: "it ends with a backslash") }
        if let last = word { words.append(String(last)) }
        return words
    }
}
