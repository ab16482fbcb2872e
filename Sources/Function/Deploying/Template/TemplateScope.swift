/// What names in a template stand for, and how its functions are worked out.
///
/// Invariants
/// 1. Working out adds at most `bytesLimit` bytes of text: a template that multiplies its parameters fails.
///    (test: `text that multiplies itself is refused`)
/// 2. What has been worked out holds no function any more. (test: `every function of the template is worked out or refused`)
struct TemplateScope {
    /// Of all text that functions make, in bytes.
    static let bytesLimit = 8 << 20
    static let supported = "supported are Ref, GetAtt, Sub and Join"

    /// Values of parameters and of AWS's own: "AWS::Region".
    var values: [String: TemplateText]
    /// What a `Ref` to a resource gives.
    var references: [String: TemplateText] = [:]
    /// What `GetAtt` gives, by resource and attribute.
    var attributes: [String: [String: TemplateText]] = [:]
    /// Names that exist and cannot be referred to here, with the reason.
    var refusals: [String: String] = [:]

    private(set) var bytesLeft = TemplateScope.bytesLimit

    init(values: [String: TemplateText]) { self.values = values }

    /// A value without functions. `AWS::NoValue` takes its member or element away; nil where it is the value itself.
    mutating func resolve(_ node: TemplateNode, _ path: String) throws(TemplateFailure) -> TemplateNode? {
        switch node.value {
        case .null, .text: return node
        case .list(let list):
            var result: [TemplateNode] = []
            for (index, element) in list.enumerated() {
                if let element = try resolve(element, "\(path)[\(index)]") { result.append(element) }
            }
            return TemplateNode(.list(result), line: node.line)
        case .map(let members):
            var result: [TemplateNode.Member] = []
            for member in members {
                guard let value = try resolve(member.value, "\(path).\(member.name)") else { continue }
                result.append(.init(name: member.name, value: value))
            }
            return TemplateNode(.map(result), line: node.line)
        case .function(let name, let argument):
            let place = Place(path: path, line: node.line)
            if name == "Ref", case .text(let text) = argument.value, text.literal == "AWS::NoValue" { return nil }
            return TemplateNode(.text(try call(name, argument, place)), line: node.line)
        }
    }

    private struct Place {
        var path: String
        var line: Int?
        func failure(_ problem: String) -> TemplateFailure { TemplateFailure(path, line: line, problem) }
    }

    private mutating func call(_ name: String, _ argument: TemplateNode, _ place: Place) throws(TemplateFailure) -> TemplateText {
        let text: TemplateText
        switch name {
        case "Ref": text = try reference(try word(argument, "!Ref", place), place)
        case "GetAtt": text = try attribute(argument, place)
        case "Sub": text = try substitute(argument, place)
        case "Join": text = try join(argument, place)
        default: throw place.failure("the function \(name) is not worked out here; \(Self.supported)")
        }
        bytesLeft -= text.parts.reduce(0) { sum, part in
            if case .literal(let text) = part { sum + max(text.utf8.count, 1) } else { sum + 1 }
        }
        guard bytesLeft >= 0 else { throw place.failure("the functions of this template make more than \(Self.bytesLimit) bytes of text") }
        return text
    }

    private func word(_ node: TemplateNode, _ what: String, _ place: Place) throws(TemplateFailure) -> String {
        guard case .text(let text) = node.value, let word = text.literal else {
            throw place.failure("\(what) takes a name, found \(node.kindName)")
        }
        return word
    }

    private func reference(_ name: String, _ place: Place) throws(TemplateFailure) -> TemplateText {
        if let text = values[name] ?? references[name] { return text }
        if let why = refusals[name] { throw place.failure("\"\(name)\" cannot be used here: \(why)") }
        if name.hasPrefix("AWS::") {
            throw place.failure("\"\(name)\" stands for nothing here: AWS::Region, AWS::AccountId, AWS::Partition and AWS::NoValue do")
        }
        throw place.failure("\"\(name)\" is neither a parameter nor a resource of this template")
    }

    private func attribute(_ argument: TemplateNode, _ place: Place) throws(TemplateFailure) -> TemplateText {
        switch argument.value {
        case .list(let list) where list.count == 2:
            return try attribute(try word(list[0], "!GetAtt", place) + "." + (try word(list[1], "!GetAtt", place)), place)
        default: return try attribute(try word(argument, "!GetAtt", place), place)
        }
    }

    private func attribute(_ text: String, _ place: Place) throws(TemplateFailure) -> TemplateText {
        let parts = text.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw place.failure("!GetAtt takes RESOURCE.ATTRIBUTE, found \"\(text)\"") }
        guard let known = attributes[parts[0]] else {
            if let why = refusals[parts[0]] { throw place.failure("\"\(parts[0])\" cannot be used here: \(why)") }
            throw place.failure("\"\(parts[0])\" is no resource of this template")
        }
        guard let value = known[parts[1]] else {
            let names = known.keys.sorted().joined(separator: ", ")
            throw place.failure("\(parts[0]) has no attribute \"\(parts[1])\" here; it has \(names.isEmpty ? "none" : names)")
        }
        return value
    }

    /// `!Sub text` or `!Sub [text, {name: value}]`: ${NAME}, ${RESOURCE.ATTRIBUTE}, ${!literal}.
    private mutating func substitute(_ argument: TemplateNode, _ place: Place) throws(TemplateFailure) -> TemplateText {
        guard case .list(let list) = argument.value else {
            return try substitute(try word(argument, "!Sub", place), [:], place)
        }
        guard list.count == 2, case .map(let members) = list[1].value else {
            throw place.failure("!Sub takes a text, or a list of a text and names with values")
        }
        var own: [String: TemplateText] = [:]
        for member in members {
            guard case .text(let text)? = try resolve(member.value, "\(place.path).\(member.name)")?.value else {
                throw place.failure("\"\(member.name)\" of !Sub must be a text")
            }
            own[member.name] = text
        }
        return try substitute(try word(list[0], "!Sub", place), own, place)
    }

    private func substitute(_ text: String, _ own: [String: TemplateText], _ place: Place) throws(TemplateFailure) -> TemplateText {
        var parts: [TemplateText.Part] = []
        var bytes = 0
        var rest = text[...]
        func add(_ more: [TemplateText.Part]) throws(TemplateFailure) {
            for part in more { if case .literal(let text) = part { bytes += max(text.utf8.count, 1) } }
            guard bytes <= bytesLeft else { throw place.failure("!Sub makes more than \(Self.bytesLimit) bytes of text") }
            parts += more
        }
        while let start = rest.firstRange(of: "${") {
            try add([.literal(String(rest[..<start.lowerBound]))])
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw place.failure("!Sub: \"${\" without \"}\"")
            }
            let name = String(rest[start.upperBound..<end])
            rest = rest[rest.index(after: end)...]
            if name.hasPrefix("!") {
                try add([.literal("${\(name.dropFirst())}")])
            } else if let value = own[name] {
                try add(value.parts)
            } else if name.contains("."), values[name] == nil, references[name] == nil {
                try add(try attribute(name, place).parts)
            } else {
                try add(try reference(name, place).parts)
            }
        }
        try add([.literal(String(rest))])
        return TemplateText(parts: parts)
    }

    private mutating func join(_ argument: TemplateNode, _ place: Place) throws(TemplateFailure) -> TemplateText {
        guard case .list(let list) = argument.value, list.count == 2, case .list(let elements) = list[1].value else {
            throw place.failure("!Join takes a separator and a list")
        }
        let separator = try word(list[0], "!Join", place)
        var parts: [TemplateText.Part] = []
        for (index, element) in elements.enumerated() {
            guard case .text(let text)? = try resolve(element, "\(place.path)[\(index)]")?.value else {
                throw place.failure("!Join takes texts, found \(element.kindName)")
            }
            if index > 0 { parts.append(.literal(separator)) }
            parts += text.parts
        }
        return TemplateText(parts: parts)
    }
}
