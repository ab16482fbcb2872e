/// The programs that a command line of a shell starts, as far as that can be told without running it: the first word of
/// each of its commands.
enum CommandPrograms {
    /// Words that start the program behind them.
    private static let wrappers: Set<String> = [
        "exec", "nice", "ionice", "nohup", "env", "sudo", "time", "timeout", "setsid", "chronic", "command", "then",
        "do",
        "else", "if", "while", "!", "{",
    ]
    /// Words after which no program of the machine stands.
    private static let builtins: Set<String> = [
        "cd", "test", "[", "[[", "echo", "export", "set", "true", "false", "exit", ".",
    ]

    /// Paths, each once. A name without a slash is looked up by `find`.
    static func of(_ command: String, find: (String) -> String?) -> [String] {
        var found: [String] = []
        for part in parts(command) {
            guard let word = program(part) else { continue }
            guard let path = word.hasPrefix("/") ? word : find(word), !found.contains(path) else { continue }
            found.append(path)
        }
        return found
    }

    /// Commands between ;, &, |, parentheses and line breaks outside of quotes, as words.
    private static func parts(_ command: String) -> [[String]] {
        var parts: [[String]] = [[]]
        var word = ""
        var quote: Character?
        func end() {
            if !word.isEmpty { parts[parts.count - 1].append(word) }
            word = ""
        }
        for character in command {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
                continue
            }
            switch character {
            case "'", "\"": quote = character
            case " ", "\t": end()
            case ";", "&", "|", "(", ")", "\n", "`":
                end()
                parts.append([])
            default: word.append(character)
            }
        }
        end()
        return parts
    }

    private static func program(_ words: [String]) -> String? {
        var rest = words[...]
        while let word = rest.first {
            if word.contains("="), !word.hasPrefix("/") {
                rest = rest.dropFirst()
            } else if wrappers.contains(word)
                || wrappers.contains(Paths.last(word)) && word.hasPrefix("/") && rest.count > 1
            {
                rest = rest.dropFirst()
                // Their options: "nice -n 10", "timeout 5".
                while let option = rest.first, option.hasPrefix("-") || option.allSatisfy({ $0.isNumber }) {
                    rest = rest.dropFirst()
                }
            } else {
                return builtins.contains(word) || word.hasPrefix(">") || word.hasPrefix("<") ? nil : word
            }
        }
        return nil
    }
}
