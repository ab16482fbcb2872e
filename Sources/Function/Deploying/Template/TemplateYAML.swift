internal import Yams

/// Reads YAML (and JSON, which is YAML) into nodes, as CloudFormation does: no anchors, every name once.
///
/// Invariants
/// 1. Any text gives a node or a failure, in a time that grows with its length; none traps.
///    (test: `no text makes the reader trap`)
/// 2. Text without anchors cannot say more than it is long: anchors are refused before YAML is read.
///    (test: `anchors are refused before they multiply`)
enum TemplateYAML {
    /// Of a template; CloudFormation takes 1 MB.
    static let bytesLimit = 1 << 20
    /// Lists and maps within each other.
    static let depthLimit = 64

    static func read(_ bytes: [UInt8]) throws(TemplateFailure) -> TemplateNode {
        guard bytes.count <= bytesLimit else {
            throw TemplateFailure("", "the template has \(bytes.count) bytes; at most \(bytesLimit) are read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw TemplateFailure("", "the template is not UTF-8") }
        if let line = lineOfAnchor(bytes) {
            throw TemplateFailure(
                "", line: line, "YAML anchors (&name) are not read, nor does CloudFormation read them: write the value twice")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: text, .basic) } catch { throw failure(of: error) }
        guard let root else { throw TemplateFailure("", "the template is empty") }
        return try node(root, path: "", depth: 0)
    }

    private static func failure(of error: any Error) -> TemplateFailure {
        guard let error = error as? YamlError else { return TemplateFailure("", "not YAML: \(error)") }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            return TemplateFailure("", line: mark.line, "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let names, let context):
            return TemplateFailure("", line: context.mark.line, "named twice: \(names.joined(separator: ", "))")
        default: return TemplateFailure("", "not YAML: \(error)")
        }
    }

    private static func node(_ node: Node, path: String, depth: Int) throws(TemplateFailure) -> TemplateNode {
        let line = node.mark?.line
        guard depth < depthLimit else {
            throw TemplateFailure(path, line: line, "more than \(depthLimit) lists and maps within each other")
        }
        let value = try plain(node, path: path, depth: depth)
        let tag = explicitTag(of: node)
        guard let tag, tag.hasPrefix("!"), tag != "!" else { return TemplateNode(value, line: line) }
        let name = String(tag.dropFirst())
        // "!GetAtt A.B" is the short form of a list of two.
        return TemplateNode(.function(name, TemplateNode(value, line: line)), line: line)
    }

    private static func plain(_ node: Node, path: String, depth: Int) throws(TemplateFailure) -> TemplateNode.Value {
        switch node {
        case .scalar(let scalar):
            let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            return isNull && explicitTag(of: node) == nil ? .null : .text(TemplateText(scalar.string))
        case .sequence(let sequence):
            var list: [TemplateNode] = []
            for (index, element) in sequence.enumerated() {
                list.append(try self.node(element, path: "\(path)[\(index)]", depth: depth + 1))
            }
            return .list(list)
        case .mapping(let mapping): return try map(mapping, path: path, depth: depth)
        case .alias: throw TemplateFailure(path, line: node.mark?.line, "YAML aliases (*name) are not read")
        }
    }

    private static func map(_ mapping: Node.Mapping, path: String, depth: Int) throws(TemplateFailure) -> TemplateNode.Value {
        var members: [TemplateNode.Member] = []
        var names: Set<String> = []
        for (key, value) in mapping {
            let line = key.mark?.line
            guard case .scalar(let scalar) = key else { throw TemplateFailure(path, line: line, "a name must be text") }
            let name = scalar.string
            let place = path.isEmpty ? name : "\(path).\(name)"
            guard name != "<<" else { throw TemplateFailure(path, line: line, "YAML merges (<<) are not read") }
            guard names.insert(name).inserted else { throw TemplateFailure(place, line: line, "named twice") }
            members.append(.init(name: name, value: try node(value, path: place, depth: depth + 1)))
        }
        // The long form of a function is a map with its one name.
        if members.count == 1, let name = functionName(members[0].name) { return .function(name, members[0].value) }
        return .map(members)
    }

    private static func functionName(_ name: String) -> String? {
        if name == "Ref" || name == "Condition" { return name == "Ref" ? "Ref" : nil }
        return name.hasPrefix("Fn::") ? String(name.dropFirst(4)) : nil
    }

    /// A tag that stands in the text: "!Sub".
    private static func explicitTag(of node: Node) -> String? {
        let name: String
        switch node {
        case .scalar(let scalar): name = "\(scalar.tag)"
        case .sequence(let sequence): name = "\(sequence.tag)"
        case .mapping(let mapping): name = "\(mapping.tag)"
        case .alias: return nil
        }
        return name.hasPrefix("!") ? name : nil
    }

    /// The first line with what looks like the definition of an anchor: "&name" where a value may begin. Text in
    /// quotes or blocks may look so, too; it is refused as well, since only a reader of YAML could tell.
    private static func lineOfAnchor(_ bytes: [UInt8]) -> Int? {
        var line = 1
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "&"), index + 1 < bytes.count else { continue }
            let follows = bytes[index + 1]
            let isName = follows > UInt8(ascii: " ") && follows != UInt8(ascii: "&")
            let mayBegin = index == 0 || " \t\n\r[{,:?-".utf8.contains(bytes[index - 1])
            if isName && mayBegin { return line }
        }
        return nil
    }
}
