internal import JSON

/// Reads the members of a map of a template that has been worked out, with failures that name the path, and refuses
/// the members that nothing asked for.
struct TemplateObject {
    let path: String
    let line: Int?
    private let members: [TemplateNode.Member]
    private var known: [String] = []

    init(_ node: TemplateNode, _ path: String) throws(TemplateFailure) {
        guard case .map(let members) = node.value else {
            throw TemplateFailure(path, line: node.line, "expected names with values, found \(node.kindName)")
        }
        self.members = members
        self.path = path
        line = node.line
    }

    var names: [String] { members.map(\.name) }

    /// The value as it stands; nil when there is none. A null counts as none.
    mutating func node(_ name: String) -> TemplateNode? {
        known.append(name)
        guard let node = members.first(where: { $0.name == name })?.value, node.value != .null else { return nil }
        return node
    }

    func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func failure(_ name: String, _ problem: String) -> TemplateFailure {
        let at = members.first { $0.name == name }?.value.line ?? line
        return TemplateFailure(path(of: name), line: at, problem)
    }

    /// Text of which parts may be known only later.
    mutating func text(_ name: String) throws(TemplateFailure) -> TemplateText? {
        guard let node = node(name) else { return nil }
        guard case .text(let text) = node.value else { throw failure(name, "expected a text, found \(node.kindName)") }
        return text
    }

    mutating func string(_ name: String) throws(TemplateFailure) -> String? {
        guard let text = try text(name) else { return nil }
        return try known(text, name)
    }

    private func known(_ text: TemplateText, _ name: String) throws(TemplateFailure) -> String {
        guard let literal = text.literal else {
            throw failure(name, "its value is known only while the deployment is made; here it has to be known before")
        }
        return literal
    }

    mutating func integer(_ name: String) throws(TemplateFailure) -> Int? {
        guard let text = try string(name) else { return nil }
        guard let number = Int(text) else { throw failure(name, "expected a whole number, found \"\(text)\"") }
        return number
    }

    mutating func boolean(_ name: String) throws(TemplateFailure) -> Bool? {
        guard let text = try string(name) else { return nil }
        switch text {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: throw failure(name, "expected true or false, found \"\(text)\"")
        }
    }

    mutating func texts(_ name: String) throws(TemplateFailure) -> [TemplateText]? {
        guard let node = node(name) else { return nil }
        guard case .list(let list) = node.value else { throw failure(name, "expected a list, found \(node.kindName)") }
        var texts: [TemplateText] = []
        for (index, element) in list.enumerated() {
            guard case .text(let text) = element.value else {
                throw TemplateFailure("\(path(of: name))[\(index)]", line: element.line, "expected a text, found \(element.kindName)")
            }
            texts.append(text)
        }
        return texts
    }

    mutating func strings(_ name: String) throws(TemplateFailure) -> [String]? {
        guard let texts = try texts(name) else { return nil }
        var strings: [String] = []
        for text in texts { strings.append(try known(text, name)) }
        return strings
    }

    /// A map of which each value is a text; its names are data.
    mutating func dictionary(_ name: String) throws(TemplateFailure) -> [(name: String, text: TemplateText)]? {
        guard let node = node(name) else { return nil }
        guard case .map(let members) = node.value else {
            throw failure(name, "expected names with values, found \(node.kindName)")
        }
        var pairs: [(name: String, text: TemplateText)] = []
        for member in members {
            guard case .text(let text) = member.value.value else {
                throw TemplateFailure(
                    "\(path(of: name)).\(member.name)", line: member.value.line,
                    "expected a text, found \(member.value.kindName)")
            }
            pairs.append((member.name, text))
        }
        return pairs
    }

    mutating func object(_ name: String) throws(TemplateFailure) -> TemplateObject? {
        guard let node = node(name) else { return nil }
        return try TemplateObject(node, path(of: name))
    }

    mutating func objects(_ name: String) throws(TemplateFailure) -> [TemplateObject]? {
        guard let node = node(name) else { return nil }
        guard case .list(let list) = node.value else { throw failure(name, "expected a list, found \(node.kindName)") }
        var objects: [TemplateObject] = []
        for (index, element) in list.enumerated() {
            objects.append(try TemplateObject(element, "\(path(of: name))[\(index)]"))
        }
        return objects
    }

    /// A value whose members only the node judges, as JSON.
    mutating func json(_ name: String) throws(TemplateFailure) -> JSONValue? {
        guard let node = node(name) else { return nil }
        return try Self.json(node, path(of: name))
    }

    private static func json(_ node: TemplateNode, _ path: String) throws(TemplateFailure) -> JSONValue {
        switch node.value {
        case .null: return .null
        case .text(let text):
            guard let literal = text.literal else {
                throw TemplateFailure(path, line: node.line, "its value is known only while the deployment is made")
            }
            return .string(literal)
        case .list(let list):
            var array: [JSONValue] = []
            for (index, element) in list.enumerated() { array.append(try json(element, "\(path)[\(index)]")) }
            return .array(array)
        case .map(let members):
            var object = JSONObject()
            for member in members { object[member.name] = try json(member.value, "\(path).\(member.name)") }
            return .object(object)
        case .function(let name, _): throw TemplateFailure(path, line: node.line, "!\(name) was not worked out")
        }
    }

    /// Refuses a member, with the reason, if it is there.
    mutating func refuse(_ name: String, _ why: String) throws(TemplateFailure) {
        if members.contains(where: { $0.name == name }) { throw failure(name, "not supported: \(why)") }
    }

    /// Refuses the members that nothing asked for.
    func refuseUnknown() throws(TemplateFailure) {
        guard let stranger = members.first(where: { !known.contains($0.name) }) else { return }
        let names = Set(known).sorted().joined(separator: ", ")
        throw TemplateFailure(
            path(of: stranger.name), line: stranger.value.line, "not supported here; supported are \(names.isEmpty ? "none" : names)")
    }
}
