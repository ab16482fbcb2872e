/// A value of a template: what YAML says, with the functions of CloudFormation as values of their own.
struct TemplateNode: Hashable, Sendable {
    indirect enum Value: Hashable, Sendable {
        case null
        /// Text, numbers and booleans: CloudFormation takes the one for the other.
        case text(TemplateText)
        case list([TemplateNode])
        /// In the order of the text; no name twice.
        case map([Member])
        /// `!Sub x` and `{"Fn::Sub": x}`, by the name without "Fn::".
        case function(String, TemplateNode)
    }

    struct Member: Hashable, Sendable {
        var name: String
        var value: TemplateNode
    }

    var value: Value
    var line: Int?

    init(_ value: Value, line: Int? = nil) {
        self.value = value
        self.line = line
    }

    /// "a list", for errors.
    var kindName: String {
        switch value {
        case .null: "nothing"
        case .text(let text): text.literal.map { "\"\($0.count > 40 ? $0.prefix(39) + "…" : $0)\"" } ?? "text"
        case .list: "a list"
        case .map: "names with values"
        case .function(let name, _): "!\(name)"
        }
    }
}

/// Text of which parts are known only while the deployment is made.
package struct TemplateText: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        case literal(String)
        case later(LaterValue)
    }

    package var parts: [Part]

    package init(_ text: String) { parts = [.literal(text)] }
    package init(_ value: LaterValue) { parts = [.later(value)] }
    init(parts: [Part]) { self.parts = parts }

    /// The text, if all of it is known.
    package var literal: String? {
        var text = ""
        for part in parts {
            guard case .literal(let more) = part else { return nil }
            text += more
        }
        return text
    }

    /// The text with what has become known.
    package func resolved<Failure>(_ value: (LaterValue) throws(Failure) -> String) throws(Failure) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let more): text += more
            case .later(let later): text += try value(later)
            }
        }
        return text
    }
}

/// What only the node can tell.
package enum LaterValue: Hashable, Sendable {
    /// The ARN of the version of a layer, by the layer's name.
    case layerVersion(String)
    /// The URL of a queue, by its name.
    case queueURL(String)
    /// The URL of a function, by the function's name.
    case functionURL(String)
}
