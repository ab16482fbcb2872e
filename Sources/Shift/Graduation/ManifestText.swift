import JSON
internal import Yams

/// Objects as one YAML stream, what a reader has to know before them.
package enum ManifestText {
    package static func text(_ manifests: ExportedManifests) -> String {
        var text = manifests.remarks.map { "# \(comment($0))\n" }.joined()
        for object in manifests.objects {
            text += "---\n"
            // What is written here is made of strings, numbers and booleans, which YAML can always hold.
            text += try! Yams.serialize(node: node(object), sortKeys: false)
        }
        return text
    }

    /// A name may hold a line break; a comment ends at one.
    private static func comment(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    private static func node(_ value: JSONValue) -> Node {
        switch value {
        case .null: Node("null", Tag(.null))
        case .bool(let flag): Node(flag ? "true" : "false", Tag(.bool))
        case .integer(let number): Node(String(number), Tag(.int))
        case .number(let number): Node(number.text, Tag(.float))
        case .string(let text): Node(text, Tag(.str), isPlain(text) ? .any : .doubleQuoted)
        case .array(let elements): .sequence(Node.Sequence(elements.map(node)))
        case .object(let members):
            .mapping(Node.Mapping(members.members.map { (Node($0.key, Tag(.str)), node($0.value)) }))
        }
    }

    /// Whether every reader of YAML, 1.1 or 1.2, takes it for a string without quotes: "on", "1e3" and "0o7" are none.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count > 1 || !"yYnN~".contains(text) else { return false }
        let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20) || first == UInt8(ascii: "/")
        let words = ["yes", "no", "on", "off", "true", "false", "null"]
        return isLetter && !words.contains(text.lowercased())
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
