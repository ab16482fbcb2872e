package import JSON

/// Reads objects that clients send as protocol buffers: kubectl since 1.32, and every program with client-go's typed
/// clients (`k8s.io/apimachinery/pkg/runtime/serializer/protobuf`, the `generated.proto` of k8s.io/api).
///
/// A value that is zero and could not have been left out in Go is left out here, as Go's JSON would; where zero is told
/// from missing it stays.
///
/// Invariants (tests in ProtobufTests):
/// 1. What a message says is in the object, by the schema's names. (`objects of any kind come through`)
/// 2. Any bytes give an object or an error. (`no bytes trap the decoder`)
package struct ProtobufDecoder {
    /// What stands around an object: `runtime.Unknown` behind four bytes.
    package struct Envelope: Hashable, Sendable {
        package var apiVersion = ""
        package var kind = ""
        package var message: ArraySlice<UInt8> = []
    }

    /// Messages within each other, at most.
    static let depthLimit = 100
    private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]

    private let schema: Schema

    /// - Throws: `ProtobufError` for bytes that do not begin as such a body does, or that hold another encoding.
    package static func envelope(_ bytes: [UInt8]) throws(ProtobufError) -> Envelope {
        guard bytes.starts(with: magic) else {
            throw ProtobufError(
                "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
        }
        var envelope = Envelope()
        var reader = ProtobufReader(bytes[magic.count...])
        while let (number, wire) = try reader.tag() {
            switch (number, wire) {
            case (1, .bytes):
                var meta = ProtobufReader(try reader.bytes())
                while let (number, wire) = try meta.tag() {
                    switch (number, wire) {
                    case (1, .bytes): envelope.apiVersion = try text(try meta.bytes())
                    case (2, .bytes): envelope.kind = try text(try meta.bytes())
                    default: try meta.skip(wire)
                    }
                }
            case (2, .bytes): envelope.message = try reader.bytes()
            case (3, .bytes), (4, .bytes):
                let value = try text(try reader.bytes())
                guard value.isEmpty || value == "application/vnd.kubernetes.protobuf" else {
                    throw ProtobufError("the message is encoded as \(quoted(value)), which is not read here")
                }
            default: try reader.skip(wire)
            }
        }
        return envelope
    }

    /// The object that a message of a kind holds, as JSON for `ObjectDecoder`.
    /// - Throws: `ProtobufError`.
    package static func decode(
        _ envelope: Envelope, as kind: Kind, of schema: Schema
    ) throws(ProtobufError) -> JSONValue { try decode(envelope, as: kind.type, of: schema) }

    /// The same for what is no kind that is served: DeleteOptions.
    package static func decode(
        _ envelope: Envelope, as type: ObjectType.ID, of schema: Schema
    ) throws(ProtobufError) -> JSONValue {
        var object = JSONObject()
        if !envelope.apiVersion.isEmpty { object["apiVersion"] = .string(envelope.apiVersion) }
        if !envelope.kind.isEmpty { object["kind"] = .string(envelope.kind) }
        try ProtobufDecoder(schema: schema).read(envelope.message, type, &object, 0)
        return .object(object)
    }

    // MARK: Messages

    private func read(
        _ bytes: ArraySlice<UInt8>, _ id: ObjectType.ID, _ object: inout JSONObject, _ depth: Int
    ) throws(ProtobufError) {
        guard depth < Self.depthLimit else {
            throw ProtobufError("proto: more than \(Self.depthLimit) messages within each other")
        }
        let type = schema[id]
        var reader = ProtobufReader(bytes)
        while let (number, wire) = try reader.tag() {
            switch type.part(number) {
            case nil: try reader.skip(wire)
            case .inlined(_, let inner)?: try read(try message(&reader, wire), inner, &object, depth + 1)
            case .field(let field)?: try read(field, &reader, wire, &object, depth)
            }
        }
    }

    private func read(
        _ field: Field, _ reader: inout ProtobufReader, _ wire: ProtobufReader.Wire, _ object: inout JSONObject,
        _ depth: Int
    ) throws(ProtobufError) {
        switch field.type {
        case .list(let element):
            var elements: [JSONValue] = []
            if wire == .bytes, element == .int32 || element == .int64 || element == .boolean {
                // Packed, which gogo does not write and proto3 does.
                var packed = ProtobufReader(try reader.bytes())
                while !packed.rest.isEmpty { elements.append(try value(element, &packed, .varint, depth)) }
            } else {
                elements.append(try value(element, &reader, wire, depth))
            }
            if object[field.name] == nil { object[field.name] = [] }
            object[field.name]?.array?.append(contentsOf: elements)
        case .map(let element):
            let (key, value) = try entry(try message(&reader, wire), element, depth)
            if object[field.name] == nil { object[field.name] = [:] }
            object[field.name]?.object?[key] = value
        default:
            let value = try value(field.type, &reader, wire, depth)
            let isKept = field.isRequired || field.tellsZero
            object[field.name] = value.isNull || !isKept && Self.isZero(value, field.type) ? Optional.none : value
        }
    }

    private func entry(
        _ bytes: ArraySlice<UInt8>, _ element: FieldType, _ depth: Int
    ) throws(ProtobufError) -> (String, JSONValue) {
        var (key, value) = ("", ScalarDecoding.zero(element))
        var reader = ProtobufReader(bytes)
        while let (number, wire) = try reader.tag() {
            switch number {
            case 1: key = try Self.text(try message(&reader, wire))
            case 2: value = try self.value(element, &reader, wire, depth)
            default: try reader.skip(wire)
            }
        }
        return (key, value)
    }

    private func message(_ reader: inout ProtobufReader, _ wire: ProtobufReader.Wire) throws(ProtobufError)
        -> ArraySlice<UInt8>
    {
        guard wire == .bytes else { throw ProtobufError("proto: wrong wireType = \(wire.rawValue)") }
        return try reader.bytes()
    }

    static func isZero(_ value: JSONValue, _ type: FieldType) -> Bool {
        if case .double = type { return value.double == 0 }
        return value == ScalarDecoding.zero(type)
    }

    // MARK: Values

    private func value(
        _ type: FieldType, _ reader: inout ProtobufReader, _ wire: ProtobufReader.Wire, _ depth: Int
    ) throws(ProtobufError) -> JSONValue {
        switch (type, wire) {
        case (.boolean, .varint): return .bool(try reader.varint() != 0)
        case (.int32, .varint): return .integer(Int64(Int32(truncatingIfNeeded: try reader.varint())))
        case (.int64, .varint): return .integer(Int64(bitPattern: try reader.varint()))
        case (.double, .fixed64):
            let number = Double(bitPattern: try reader.fixed(8))
            guard number.isFinite else { throw ProtobufError("proto: \(number) has no JSON") }
            return .number(JSONNumber(number))
        default: break
        }
        let bytes = try message(&reader, wire)
        switch type {
        case .string: return .string(try Self.text(bytes))
        case .bytes: return .string(Base64.text(Array(bytes)))
        case .object(let id):
            var object = JSONObject()
            try read(bytes, id, &object, depth + 1)
            return .object(object)
        // A list as the value of a map is a message of its own (ExtraValue).
        case .list(let element):
            var (elements, inner) = ([JSONValue](), ProtobufReader(bytes))
            while let (number, wire) = try inner.tag() {
                if number == 1 {
                    elements.append(try value(element, &inner, wire, depth + 1))
                } else {
                    try inner.skip(wire)
                }
            }
            return .array(elements)
        case .quantity, .intOrString, .time, .microTime, .any: return try ProtobufScalars.value(type, bytes)
        case .boolean, .int32, .int64, .double, .map:
            throw ProtobufError(
                "proto: wrong wireType = \(wire.rawValue) for a field of type \(type.goName(in: schema))")
        }
    }

    static func text(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ProtobufError("proto: a string is no UTF-8")
        }
        return text
    }
}

/// Messages that JSON writes as one value.
enum ProtobufScalars {
    static func value(_ type: FieldType, _ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> JSONValue {
        var reader = ProtobufReader(bytes)
        var numbers: [Int: Int64] = [:]
        var texts: [Int: ArraySlice<UInt8>] = [:]
        while let (number, wire) = try reader.tag() {
            switch wire {
            case .varint: numbers[number] = Int64(bitPattern: try reader.varint())
            case .bytes: texts[number] = try reader.bytes()
            default: try reader.skip(wire)
            }
        }
        switch type {
        case .quantity:
            let text = try ProtobufDecoder.text(texts[1] ?? [])
            do throws(QuantityError) {
                return .string(text.isEmpty ? "0" : try Quantity(text).description)
            } catch {
                throw ProtobufError(error.description)
            }
        case .intOrString:
            if numbers[1] == 1 { return .string(try ProtobufDecoder.text(texts[3] ?? [])) }
            return .integer(Int64(Int32(truncatingIfNeeded: numbers[2] ?? 0)))
        case .time, .microTime:
            // An empty message is Go's zero time, which JSON writes as null.
            guard !bytes.isEmpty else { return .null }
            let precision: Timestamp.Precision = type == .time ? .seconds : .micro
            let (seconds, nanoseconds) = (numbers[1] ?? 0, numbers[2] ?? 0)
            guard Timestamp.range.contains(seconds), (0..<1_000_000_000).contains(nanoseconds) else {
                throw ProtobufError("a time lies outside of the years 0 to 9999")
            }
            return .string(Timestamp(seconds: seconds, microseconds: nanoseconds / 1000).text(precision))
        default:
            guard let raw = texts[1], !raw.isEmpty else { return .null }
            do throws(JSONError) {
                return try JSONParser.parse(Array(raw))
            } catch {
                throw ProtobufError("raw JSON: \(error)")
            }
        }
    }
}
