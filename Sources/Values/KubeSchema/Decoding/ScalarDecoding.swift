import JSON

/// Why a value is not of a simple type.
enum ScalarProblem: Error {
    /// Another type; with Go's name for what was found.
    case mismatch(String)
    /// A sentence of its own.
    case other(String)
}

/// Checks simple values and gives them the form in which the server writes them.
enum ScalarDecoding {
    static func canonical(_ json: JSONValue, _ type: FieldType) throws(ScalarProblem) -> JSONValue {
        // null sets nothing in Go: what was there before, the zero value, stays.
        if json.isNull { return zero(type) }
        switch type {
        case .string:
            guard json.string != nil else { throw .mismatch(ObjectDecoder.goName(json)) }
            return json
        case .boolean:
            guard json.bool != nil else { throw .mismatch(ObjectDecoder.goName(json)) }
            return json
        case .int32: return try integer(json, Int64(Int32.min)...Int64(Int32.max))
        case .int64: return try integer(json, Int64.min...Int64.max)
        case .double:
            guard let number = json.double else { throw .mismatch(ObjectDecoder.goName(json)) }
            guard number.isFinite else { throw .mismatch("number \(JSONWriter.text(json))") }
            return json
        case .quantity: return try quantity(json)
        case .intOrString: return try intOrString(json)
        case .time, .microTime: return try time(json, type == .microTime ? .micro : .seconds)
        case .bytes: return try bytes(json)
        case .any, .object, .list, .map: return json
        }
    }

    /// What a missing value is in Go, where one has to stand: elements of lists and values of maps.
    static func zero(_ type: FieldType) -> JSONValue {
        switch type {
        case .string, .bytes: ""
        case .boolean: false
        case .int32, .int64, .double, .intOrString: 0
        case .quantity: "0"
        case .time, .microTime, .any: .null
        case .list: []
        case .object, .map: [:]
        }
    }

    private static func integer(_ json: JSONValue, _ range: ClosedRange<Int64>) throws(ScalarProblem) -> JSONValue {
        switch json {
        case .integer(let value) where range.contains(value): return json
        case .integer, .number: throw .mismatch("number \(JSONWriter.text(json))")
        default: throw .mismatch(ObjectDecoder.goName(json))
        }
    }

    private static func quantity(_ json: JSONValue) throws(ScalarProblem) -> JSONValue {
        let text: String
        switch json {
        case .string(let string): text = trimmed(string)
        default: text = JSONWriter.text(json)
        }
        do throws(QuantityError) {
            return .string(try Quantity(text).description)
        } catch {
            throw .other(error.description)
        }
    }

    private static func trimmed(_ text: String) -> String {
        var part = text[...]
        while part.first?.isWhitespace == true { part.removeFirst() }
        while part.last?.isWhitespace == true { part.removeLast() }
        return String(part)
    }

    private static func intOrString(_ json: JSONValue) throws(ScalarProblem) -> JSONValue {
        switch json {
        case .string: return json
        case .integer(let value) where Int32(exactly: value) != nil: return json
        case .integer, .number:
            throw .other("json: cannot unmarshal number \(JSONWriter.text(json)) into Go value of type int32")
        default: throw .other("json: cannot unmarshal \(ObjectDecoder.goName(json)) into Go value of type int32")
        }
    }

    private static func bytes(_ json: JSONValue) throws(ScalarProblem) -> JSONValue {
        guard let text = json.string else { throw .mismatch(ObjectDecoder.goName(json)) }
        // Go skips line ends in base64, and writes none.
        let plain = text.utf8.contains { $0 == 0x0A || $0 == 0x0D } ? text.filter { !$0.isNewline } : text
        guard plain.utf8.count % 4 == 0, Base64.bytes(plain) != nil else {
            throw .other("illegal base64 data at input byte \(firstIllegal(plain))")
        }
        return .string(plain)
    }

    private static func firstIllegal(_ text: String) -> Int {
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                continue
            case UInt8(ascii: "=") where index >= bytes.count - 2 && bytes.count % 4 == 0: continue
            default: return index
            }
        }
        return bytes.count - bytes.count % 4
    }

    private static func time(_ json: JSONValue, _ precision: Timestamp.Precision) throws(ScalarProblem) -> JSONValue {
        guard let text = json.string else {
            throw .other("json: cannot unmarshal \(ObjectDecoder.goName(json)) into Go value of type string")
        }
        do throws(TimestampError) {
            return .string(try Timestamp(text, precision).text(precision))
        } catch {
            throw .other(error.description)
        }
    }
}
