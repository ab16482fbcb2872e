/// A template that cannot be deployed.
///
/// Reads `line 12: Resources.Scorer.Properties.MemorySize: expected a whole number, found a list`.
package struct TemplateFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where, as member names and indices; empty for the whole.
    package var path: String
    /// From 1; nil where the text has no such place.
    package var line: Int?
    package var problem: String

    package init(_ path: String, line: Int? = nil, _ problem: String) {
        self.path = path
        self.line = line
        self.problem = problem
    }

    package var description: String {
        let place = [line.map { "line \($0)" }, path.isEmpty ? nil : path].compactMap(\.self)
        return (place + [problem]).joined(separator: ": ")
    }
}
