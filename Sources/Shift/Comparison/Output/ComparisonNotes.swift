/// Notes below a table, each with the mark that cells carry.
package struct ComparisonNotes: Hashable, Sendable {
    package private(set) var texts: [String] = []

    package init() {}

    /// The mark of a note; the same text gets the same mark.
    package mutating func mark(for text: String) -> String {
        if let index = texts.firstIndex(of: text) { return Self.mark(index) }
        texts.append(text)
        return Self.mark(texts.count - 1)
    }

    /// "¹", "²" ... "¹⁰".
    package static func mark(_ index: Int) -> String {
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        return String(String(index + 1).map { digits[$0.wholeNumberValue ?? 0] })
    }
}
