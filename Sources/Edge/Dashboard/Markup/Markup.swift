import Plotting

/// HTML as it is written: tags and attribute names are the program's own words, everything else is escaped.
///
/// Invariants
/// 1. Text and values of attributes never begin, end or leave an element. (test: `hostile text stays text, wherever it stands`)
/// 2. A link leads to a page of the dashboard, nowhere else. (test: `a place cannot lead out of the dashboard`)
/// 3. No attribute runs a script or carries a style. (the initializer of `Attribute` traps; test: `attributes that would run something trap`)
package struct Markup: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// `<!doctype html>`
    mutating func doctype() { append("<!doctype html>\n") }

    /// An element with content, which `body` writes.
    mutating func element(_ tag: StaticString, _ attributes: Attribute..., body: (inout Markup) -> Void) {
        begin(tag, attributes)
        body(&self)
        end(tag)
    }

    /// An element with text as its content.
    mutating func element(_ tag: StaticString, _ attributes: Attribute..., text: String) {
        begin(tag, attributes)
        write(text)
        end(tag)
    }

    /// An element without content, such as `<br>`.
    mutating func void(_ tag: StaticString, _ attributes: Attribute...) { begin(tag, attributes) }

    /// Text, escaped; what cannot be seen, but for the end of a line, is written as `DisplayText` shows it.
    mutating func write(_ text: String) {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x0A }) {
            for byte in text.utf8 { escape(byte) }
            return
        }
        for byte in DisplayText.visible(text, limit: .max).utf8 { escape(byte) }
    }

    /// A line of what was measured, which its module has drawn and escaped.
    mutating func spark(_ values: [Double?], label: String, width: Int, height: Int) {
        bytes += Array(Sparkline(values, label: DisplayText.visible(label, limit: 300)).svg(width: width, height: height).utf8)
    }

    /// What was written elsewhere.
    mutating func append(_ other: Markup) { bytes += other.bytes }

    private mutating func begin(_ tag: StaticString, _ attributes: [Attribute]) {
        append("<")
        append(tag)
        for attribute in attributes {
            append(" ")
            append(attribute.name)
            guard let value = attribute.value else { continue }
            append("=\"")
            writeValue(value)
            append("\"")
        }
        append(">")
    }

    private mutating func end(_ tag: StaticString) {
        append("</")
        append(tag)
        append(">")
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): append("&amp;")
        case UInt8(ascii: "<"): append("&lt;")
        case UInt8(ascii: ">"): append("&gt;")
        case UInt8(ascii: "\""): append("&quot;")
        case UInt8(ascii: "'"): append("&#39;")
        default: bytes.append(byte)
        }
    }

    /// The value of an attribute. What cannot be seen is written by its number, so that a form gives back what it was given;
    /// NUL has no such form (HTML, section 13.5).
    private mutating func writeValue(_ value: String) {
        if value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            for byte in value.utf8 { escape(byte) }
            return
        }
        for scalar in value.unicodeScalars {
            if scalar.value == 0 {
                bytes += Array("\u{FFFD}".utf8)
            } else if scalar.value < 0x20 || !DisplayText.isSeen(scalar) {
                bytes += Array("&#\(scalar.value);".utf8)
            } else {
                for byte in UTF8.encode(scalar)! { escape(byte) }
            }
        }
    }
}

/// An attribute of an element.
struct Attribute: Sendable {
    let name: StaticString
    /// nil: the name alone, as in `<input required>`.
    let value: String?

    /// Traps for names whose value a browser would run or follow: those have ways of their own.
    init(_ name: StaticString, _ value: String) {
        precondition(!Self.isActive(name.description), "\(name) is not set from text")
        self.name = name
        self.value = value
    }

    private init(place: Place, _ name: StaticString) {
        self.name = name
        value = place.text
    }

    private init(flag name: StaticString) {
        self.name = name
        value = nil
    }

    static func href(_ place: Place) -> Attribute { Attribute(place: place, "href") }
    static func src(_ place: Place) -> Attribute { Attribute(place: place, "src") }
    static func action(_ place: Place) -> Attribute { Attribute(place: place, "action") }
    static func css(_ classes: StaticString) -> Attribute { Attribute("class", classes.description) }
    static func flag(_ name: StaticString) -> Attribute { Attribute(flag: name) }

    /// Whether the value of such an attribute does something by itself.
    static func isActive(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("on") || ["href", "src", "srcdoc", "action", "formaction", "style", "xlink:href", "background", "poster"].contains(name)
    }
}
