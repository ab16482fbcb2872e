import Plotting

/// Pieces of a page that are HTML and XML at once. Text is escaped because there is no way to put it in that does not.
struct HTML: Hashable, Sendable {
    /// The markup.
    let markup: String

    private init(_ markup: String) { self.markup = markup }

    static func text(_ text: String) -> HTML { HTML(XMLText.escaped(text)) }

    /// An element with its attributes and what is in it.
    static func element(_ name: StaticString, _ attributes: [(String, String)], _ children: [HTML]) -> HTML {
        HTML(opening(name, attributes) + ">" + children.map(\.markup).joined() + "</\(name)>")
    }

    static func element(_ name: StaticString, _ children: [HTML]) -> HTML { element(name, [], children) }

    static func element(_ name: StaticString, _ attributes: [(String, String)], _ text: String) -> HTML {
        element(name, attributes, [.text(text)])
    }

    static func element(_ name: StaticString, _ text: String) -> HTML { element(name, [], [.text(text)]) }

    /// An element that holds nothing, as `<meta/>`.
    static func void(_ name: StaticString, _ attributes: [(String, String)]) -> HTML {
        HTML(opening(name, attributes) + "/>")
    }

    /// A drawing, which escapes its own texts.
    static func plot(_ plot: PlotSVG) -> HTML { HTML(plot.text) }

    /// A style sheet of our own.
    static func style(_ css: String) -> HTML {
        precondition(
            !css.utf8.contains { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "&") }, "a style sheet is no markup")
        return HTML("<style>\(css)</style>")
    }

    static let lineBreak = HTML("\n")

    private static func opening(_ name: StaticString, _ attributes: [(String, String)]) -> String {
        precondition(
            attributes.allSatisfy { $0.0.utf8.allSatisfy { $0 == UInt8(ascii: "-") || ($0 >= 97 && $0 <= 122) } },
            "the names of attributes are ours")
        return "<\(name)" + attributes.map { " \($0)=\"\(XMLText.escaped($1))\"" }.joined()
    }
}
