/// A .dockerignore: what of the context the build does not see. The last pattern that matches a path, or a folder
/// above it, decides; `!` takes out of what earlier patterns ignore.
package struct IgnoreRules: Hashable, Sendable {
    /// What is wrong with a line.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package var line: Int
        package var reason: String

        package var description: String { ".dockerignore line \(line): \(reason)" }
    }

    private struct Rule: Hashable, Sendable {
        var pattern: IgnorePattern
        var isException: Bool
    }

    private var rules: [Rule] = []

    /// A folder that is ignored may hold what is not: it has to be looked into.
    package var hasExceptions: Bool { rules.contains(where: \.isException) }

    /// Whether nothing is ignored.
    package var isEmpty: Bool { rules.isEmpty }

    /// Nothing is ignored.
    package init() {}

    /// Reads the file. Lines that begin with "#" are comments.
    package init(parsing bytes: [UInt8]) throws(Failure) {
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.first != UInt8(ascii: "#") {
            let trimmed = line.trimmed
            guard let text = String(validating: trimmed, as: UTF8.self) else {
                throw Failure(line: index + 1, reason: "is not UTF-8")
            }
            guard !text.isEmpty else { continue }
            try add(text, line: index + 1)
        }
    }

    private mutating func add(_ text: String, line: Int) throws(Failure) {
        let isException = text.hasPrefix("!")
        let pattern = isException ? text.utf8.dropFirst().text.utf8.trimmedText : text
        guard !pattern.isEmpty else { throw Failure(line: line, reason: "\"!\" needs a pattern") }
        do throws(WordError) {
            rules.append(Rule(pattern: try IgnorePattern(Self.cleaned(pattern)), isException: isException))
        } catch {
            throw Failure(line: line, reason: error.reason)
        }
    }

    /// Go's filepath.Clean, and no "/" at the beginning: patterns are below the context whatever they say.
    private static func cleaned(_ pattern: String) -> String {
        var parts: [Substring] = []
        for part in pattern.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !pattern.hasPrefix("/") {
                parts.append(part)
            }
        }
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    /// Whether the path, relative to the context and without "." or "..", is left out.
    package func ignores(_ path: String) -> Bool {
        let scalars = Array(path.unicodeScalars)
        let ends = scalars.indices.filter { scalars[$0] == "/" } + [scalars.count]
        var ignored = false
        for rule in rules where rule.isException == ignored {
            if ends.contains(where: { rule.pattern.matches(scalars[..<$0]) }) { ignored = !rule.isException }
        }
        return ignored
    }
}

extension String.UTF8View {
    fileprivate var trimmedText: String { Array(self).trimmed.text }
}
