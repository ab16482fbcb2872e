package import JSON

/// Turns JSON from outside into an object of a kind: types are checked, unknown fields are dropped or refused, values
/// get their canonical form. Words and rules are those of sigs.k8s.io/json and of the Go types of k8s.io/api.
///
/// Invariants (tests in ObjectDecoderTests):
/// 1. What is decoded has only fields of the schema, of their types. (`whatever is decoded decodes again to itself`)
/// 2. Decoding twice changes nothing more. (the same)
/// 3. Any JSON gives an object or an error. (the same)
package struct ObjectDecoder {
    private let schema: Schema
    private let fieldValidation: FieldValidation
    private var strictProblems: [String] = []
    /// The first error counts, but all fields are looked at: unknown ones are counted too.
    private var problem: String?
    /// The names on the way here, which errors of types say.
    private var names: [String] = []
    /// The same with the places in lists, which unknown fields are said with.
    private var steps: [String] = []
    private var owner: ObjectType.ID

    /// As many unknown fields as one answer names.
    private static let problemLimit = 100

    /// Reads a body sent for `kind`.
    /// - Parameter duplicates: Names that came twice, as "spec.replicas", from `DuplicateFields`.
    /// - Throws: `DecodingFailure` for another kind, a value of the wrong type, and with `.strict` for unknown fields.
    package static func decode(
        _ json: JSONValue, as kind: Kind, of schema: Schema, fieldValidation: FieldValidation, duplicates: [String] = []
    ) throws(DecodingFailure) -> DecodedObject {
        try checkKind(json, kind.id)
        var decoder = ObjectDecoder(schema: schema, fieldValidation: fieldValidation, owner: kind.type)
        var object = decoder.object(json, kind.type)
        if let problem = decoder.problem { throw DecodingFailure(problem, of: kind.id) }
        object["apiVersion"] = .string(kind.id.apiVersion)
        object["kind"] = .string(kind.id.kind)
        let problems = decoder.strictProblems + duplicates.map { "duplicate field \(quoted($0))" }
        switch fieldValidation {
        case .ignore: return DecodedObject(json: object, warnings: [])
        case .warn: return DecodedObject(json: object, warnings: problems)
        case .strict:
            guard problems.isEmpty else {
                let list = problems.joined(separator: ", ")
                throw DecodingFailure("strict decoding error: \(list)", of: kind.id)
            }
            return DecodedObject(json: object, warnings: [])
        }
    }

    private init(schema: Schema, fieldValidation: FieldValidation, owner: ObjectType.ID) {
        self.schema = schema
        self.fieldValidation = fieldValidation
        self.owner = owner
    }

    /// A body may leave both out: the path says them.
    private static func checkKind(_ json: JSONValue, _ expected: GroupVersionKind) throws(DecodingFailure) {
        guard let object = json.object else {
            throw DecodingFailure(
                "couldn't get version/kind; json parse error: json: cannot unmarshal \(goName(json)) into Go value of type "
                    + "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }"
            )
        }
        if let version = object["apiVersion"]?.string, !version.isEmpty, version != expected.apiVersion {
            throw DecodingFailure(
                "the API version in the data (\(version)) does not match the expected API version (\(expected.apiVersion))"
            )
        }
        if let kind = object["kind"]?.string, !kind.isEmpty, kind != expected.kind {
            throw DecodingFailure(
                "\(kind) in version \"\(expected.version)\" cannot be handled as a \(expected.kind): "
                    + "the kind in the data does not match the expected kind")
        }
    }

    // MARK: Values

    private mutating func value(_ json: JSONValue, _ type: FieldType) -> JSONValue {
        switch type {
        case .object(let id):
            return json.isNull && !schema[id].leavesTypesToChecks ? .object([:]) : object(json, id)
        case .list(let element): return list(json, element, type)
        case .map(let element): return map(json, element, type)
        case .any: return json
        default: return scalar(json, type)
        }
    }

    private mutating func object(_ json: JSONValue, _ id: ObjectType.ID) -> JSONValue {
        let (outer, type) = (owner, schema[id])
        guard case .object(let members) = json else {
            if type.leavesTypesToChecks { return json }
            mismatch(json, .object(id))
            return .object([:])
        }
        defer { owner = outer }
        var result = JSONObject()
        for member in members.members {
            owner = id
            names.append(member.key)
            steps.append(names.count == 1 ? member.key : "." + member.key)
            defer {
                names.removeLast()
                steps.removeLast()
            }
            guard let field = type.field(member.key) else {
                if type.keepsUnknownFields { result[member.key] = member.value } else { refuse("unknown field") }
                continue
            }
            if !member.value.isNull || field.type == .any || type.leavesTypesToChecks {
                result[member.key] = value(member.value, field.type)
            }
        }
        return .object(result)
    }

    private mutating func list(_ json: JSONValue, _ element: FieldType, _ type: FieldType) -> JSONValue {
        guard case .array(let elements) = json else {
            if schema[owner].leavesTypesToChecks { return json }
            mismatch(json, type)
            return .array([])
        }
        var result: [JSONValue] = []
        result.reserveCapacity(elements.count)
        for (index, one) in elements.enumerated() {
            steps.append("[\(index)]")
            result.append(value(one, element))
            steps.removeLast()
        }
        return .array(result)
    }

    private mutating func map(_ json: JSONValue, _ element: FieldType, _ type: FieldType) -> JSONValue {
        guard case .object(let members) = json else {
            if schema[owner].leavesTypesToChecks { return json }
            mismatch(json, type)
            return .object([:])
        }
        var result = JSONObject()
        for member in members.members {
            steps.append("." + member.key)
            result[member.key] = value(member.value, element)
            steps.removeLast()
        }
        return .object(result)
    }

    private mutating func scalar(_ json: JSONValue, _ type: FieldType) -> JSONValue {
        if schema[owner].leavesTypesToChecks { return json }
        do throws(ScalarProblem) {
            return try ScalarDecoding.canonical(json, type)
        } catch {
            switch error {
            case .mismatch(let found): mismatch(found, type)
            case .other(let sentence): problem = problem ?? sentence
            }
            return ScalarDecoding.zero(type)
        }
    }

    // MARK: Problems

    private mutating func refuse(_ what: String) {
        guard fieldValidation != .ignore, strictProblems.count < Self.problemLimit else { return }
        let place = steps.joined()
        strictProblems.append("\(what) \(quoted(place))")
    }

    private mutating func mismatch(_ json: JSONValue, _ type: FieldType) { mismatch(Self.goName(json), type) }

    private mutating func mismatch(_ found: String, _ type: FieldType) {
        guard problem == nil else { return }
        let target =
            names.isEmpty
            ? "Go value of type"
            : "Go struct field \(schema[owner].shortName).\(names.joined(separator: ".")) of type"
        problem = "json: cannot unmarshal \(found) into \(target) \(type.goName(in: schema))"
    }

    static func goName(_ json: JSONValue) -> String {
        switch json {
        case .null: "null"
        case .bool: "bool"
        case .integer, .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension FieldType {
    /// The type as Go's own messages name it.
    func goName(in schema: Schema) -> String {
        switch self {
        case .string: "string"
        case .boolean: "bool"
        case .int32: "int32"
        case .int64: "int64"
        case .double: "float64"
        case .quantity: "resource.Quantity"
        case .intOrString: "intstr.IntOrString"
        case .time: "v1.Time"
        case .microTime: "v1.MicroTime"
        case .bytes: "[]uint8"
        case .any: "runtime.RawExtension"
        case .list(let element): "[]" + element.goName(in: schema)
        case .map(let element): "map[string]" + element.goName(in: schema)
        case .object(let id): "v1." + schema[id].shortName
        }
    }
}

/// A text in quotation marks with escapes, as Go's %q.
package func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        case "\u{7}": result += "\\a"
        case "\u{8}": result += "\\b"
        case "\u{C}": result += "\\f"
        case "\u{B}": result += "\\v"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
            let digits = String(scalar.value, radix: 16)
            result += "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
