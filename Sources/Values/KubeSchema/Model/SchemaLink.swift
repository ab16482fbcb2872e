import JSON

extension Schema {
    /// Makes the schema that texts describe.
    /// - Throws: `SchemaTextError` for a name that leads nowhere, or one that stands twice.
    init(linking text: SchemaText) throws(SchemaTextError) {
        var link = SchemaLink(text)
        self.init(types: try link.types(), kinds: try link.kinds())
    }
}

/// Turns names into references.
private struct SchemaLink {
    let text: SchemaText
    var positions: [String: Int] = [:]
    var enumerations: [String: [String]] = [:]
    /// Types whose JSON says its own kind and version.
    var selfDescribing: Set<String> = ["meta/v1.DeleteOptions", "meta/v1.Status"]
    var linked: [ObjectType?]

    init(_ text: SchemaText) {
        self.text = text
        linked = Array(repeating: nil, count: text.objects.count)
        for (index, object) in text.objects.enumerated() { positions[object.package + "." + object.name] = index }
        for one in text.enumerations { enumerations[one.package + "." + one.name] = one.values }
        for kind in text.kinds { selfDescribing.insert(kind.package + "." + kind.words[1]) }
    }

    mutating func types() throws(SchemaTextError) -> [ObjectType] {
        guard positions.count == text.objects.count else { throw SchemaTextError("define no type twice") }
        var result: [ObjectType] = []
        for index in text.objects.indices { result.append(try type(at: index, within: [])) }
        return result
    }

    private mutating func type(at index: Int, within outer: [Int]) throws(SchemaTextError) -> ObjectType {
        if let type = linked[index] { return type }
        let object = text.objects[index]
        guard !outer.contains(index) else { throw error(object.line, object, "inline no type into itself") }
        var parts: [ObjectType.Part] = []
        var fields: [Field] = []
        for member in object.members {
            if member.isInlined {
                guard let inner = position(of: member.type, from: object.package), let number = member.number else {
                    throw error(member.line, object, "inline a type that exists, not \(member.type)")
                }
                parts.append(.inlined(number: number, type: ObjectType.ID(index: inner)))
                fields += try type(at: inner, within: outer + [index]).fields
            } else {
                let field = try field(member, of: object)
                parts.append(.field(field))
                fields.append(field)
            }
        }
        guard Set(fields.map(\.name)).count == fields.count,
            Set(object.members.compactMap(\.number)).count
                == object.members.count(where: { $0.number != nil })
        else { throw error(object.line, object, "use no name and no number twice") }
        let name = object.package + "." + object.name
        // apiVersion and kind are fields of the JSON, and none of the message (TypeMeta has no number).
        if selfDescribing.contains(name), let meta = positions["meta/v1.TypeMeta"] {
            fields = try type(at: meta, within: outer + [index]).fields + fields
        }
        let type = ObjectType(
            name: name, documentation: object.documentation, isAtomic: object.isAtomic,
            parts: parts, fields: fields)
        linked[index] = type
        return type
    }

    private func field(_ member: SchemaText.Member, of object: SchemaText.Object) throws(SchemaTextError) -> Field {
        var allowed: [String]?
        guard let type = fieldType(member.type[...], from: object.package, &allowed) else {
            throw error(member.line, object, "use a type that exists, not \(member.type)")
        }
        var patch = PatchStrategy()
        var listType: ListType?
        var isAtomic = false
        var fallback: JSONValue?
        for attribute in member.attributes {
            let parts = attribute.split(separator: "=", maxSplits: 1).map(String.init)
            switch (parts[0], parts.count > 1 ? parts[1] : nil) {
            case ("atomic", nil): isAtomic = true
            case ("set", nil): listType = .set
            case ("map", let keys?): listType = .map(keys: keys.split(separator: ",").map(String.init))
            case ("merge", let key):
                patch.merges = true
                patch.mergeKey = key
            case ("retainKeys", nil): patch.retainsKeys = true
            case ("replace", nil): patch.replaces = true
            case ("default", let value?): fallback = JSONValue(numberText: value) ?? .string(value)
            default: throw error(member.line, object, "use no attribute \(attribute)")
            }
        }
        if case .list = type, listType == nil {
            listType = .atomic
            isAtomic = true
        }
        if case .object(let id) = type, text.objects[id.index].isAtomic { isAtomic = true }
        return Field(
            name: member.name, number: member.number, type: type, isRequired: member.isRequired,
            tellsZero: member.tellsZero, fallback: fallback,
            allowed: allowed, listType: listType, isAtomic: isAtomic, patch: patch, documentation: member.documentation)
    }

    private func fieldType(_ name: Substring, from package: String, _ allowed: inout [String]?) -> FieldType? {
        if let inner = inside(name, "[", "]") { return fieldType(inner, from: package, &allowed).map { .list($0) } }
        if let inner = inside(name, "{", "}") { return fieldType(inner, from: package, &allowed).map { .map($0) } }
        if let simple = Self.simple[String(name)] { return simple }
        if let values = Self.packages(from: package).lazy.compactMap({ enumerations[$0 + "." + name] }).first {
            allowed = values
            return .string
        }
        return position(of: String(name), from: package).map { .object(ObjectType.ID(index: $0)) }
    }

    private static let simple: [String: FieldType] = [
        "string": .string, "bool": .boolean, "int32": .int32, "int64": .int64, "double": .double,
        "quantity": .quantity, "intOrString": .intOrString, "time": .time, "microTime": .microTime, "bytes": .bytes,
        "any": .any,
    ]

    private func inside(_ name: Substring, _ open: Unicode.Scalar, _ close: Unicode.Scalar) -> Substring? {
        let bytes = name.utf8
        guard bytes.first == UInt8(ascii: open), bytes.last == UInt8(ascii: close), bytes.count > 2 else { return nil }
        return Substring(bytes.dropFirst().dropLast())
    }

    private static func packages(from package: String) -> [String] { [package, "core/v1", "meta/v1"] }

    private func position(of name: String, from package: String) -> Int? {
        Self.packages(from: package).lazy.compactMap { positions[$0 + "." + name] }.first
    }

    private func error(_ line: Int, _ object: SchemaText.Object, _ problem: String) -> SchemaTextError {
        SchemaTextError(file: object.package + "." + object.name, line: line, problem: problem)
    }

    mutating func kinds() throws(SchemaTextError) -> [Kind] {
        var result: [Kind] = []
        for line in text.kinds {
            let (name, plural) = (line.words[1], line.words[2])
            guard let index = positions[line.package + "." + name],
                let version = line.package.split(separator: "/").last
            else { throw SchemaTextError(file: line.package, line: line.line, problem: "name a type, not \(name)") }
            var options = KindOptions()
            for word in line.words[3...] { try options.read(word) }
            result.append(
                Kind(
                    id: GroupVersionKind(group: line.group, version: String(version), kind: name), plural: plural,
                    singular: name.lowercased(), shortNames: options.shortNames, categories: options.categories,
                    isNamespaced: options.isNamespaced, subresources: options.subresources,
                    isVirtual: options.isVirtual || options.isComputed, isComputed: options.isComputed,
                    columns: line.columns, type: ObjectType.ID(index: index)))
        }
        return result
    }
}

/// What may stand after a kind's names: short names, "cluster", "virtual", "computed", "categories=", "subresources=".
private struct KindOptions {
    var shortNames: [String] = []
    var categories: [String] = []
    var subresources: [String] = []
    var isNamespaced = true
    var isVirtual = false
    var isComputed = false

    mutating func read(_ word: String) throws(SchemaTextError) {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        let list = parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : []
        switch (parts[0], parts.count) {
        case ("cluster", 1): isNamespaced = false
        case ("virtual", 1): isVirtual = true
        case ("computed", 1): isComputed = true
        case ("categories", 2): categories = list
        case ("subresources", 2): subresources = list
        case (_, 1): shortNames.append(word)
        default: throw SchemaTextError("have no \(word) after a kind")
        }
    }
}
