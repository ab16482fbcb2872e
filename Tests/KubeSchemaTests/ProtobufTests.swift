import JSON
import TestKit
import Testing

@testable import KubeSchema

/// Writes objects as protocol buffers, as gogo does: the model that the decoder is measured by.
private struct Encoder {
    let schema = Schema.kubernetes

    func varint(_ value: UInt64) -> [UInt8] {
        var (value, bytes) = (value, [UInt8]())
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    func delimited(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
        varint(UInt64(number) << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }

    func number(_ number: Int, _ value: Int64) -> [UInt8] {
        varint(UInt64(number) << 3) + varint(UInt64(bitPattern: value))
    }

    func message(_ json: JSONValue, _ id: ObjectType.ID) -> [UInt8] {
        schema[id].parts.flatMap { part -> [UInt8] in
            switch part {
            case .inlined(let number, let inner): return delimited(number, message(json, inner))
            case .field(let field):
                guard let number = field.number, let value = json[field.name] else { return [] }
                return encoded(number, value, field.type)
            }
        }
    }

    func encoded(_ number: Int, _ value: JSONValue, _ type: FieldType) -> [UInt8] {
        switch type {
        case .string: delimited(number, Array(value.string!.utf8))
        case .boolean: self.number(number, value.bool! ? 1 : 0)
        case .int32, .int64: self.number(number, value.integer!)
        case .double:
            varint(UInt64(number) << 3 | 1)
                + (0..<8).map { UInt8(truncatingIfNeeded: value.double!.bitPattern >> UInt64($0 * 8)) }
        case .bytes: delimited(number, Base64.bytes(value.string!)!)
        case .quantity: delimited(number, delimited(1, Array(value.string!.utf8)))
        case .intOrString:
            delimited(
                number,
                value.integer.map { self.number(1, 0) + self.number(2, $0) }
                    ?? (self.number(1, 1) + self.number(2, 0) + delimited(3, Array(value.string!.utf8))))
        case .time, .microTime:
            {
                let precision: Timestamp.Precision = type == .time ? .seconds : .micro
                let time = try! Timestamp(value.string!, precision)
                return delimited(number, self.number(1, time.seconds) + self.number(2, time.microseconds * 1000))
            }()
        case .any: delimited(number, delimited(1, JSONWriter.bytes(value)))
        case .object(let id): delimited(number, message(value, id))
        case .list(let element): value.array!.flatMap { encoded(number, $0, element) }
        case .map(let element):
            value.object!.members.flatMap { member in
                var inner = encoded(2, member.value, element)
                if case .list = element {
                    inner = delimited(2, value.object![member.key]!.array!.flatMap { encoded(1, $0, .string) })
                }
                return delimited(number, delimited(1, Array(member.key.utf8)) + inner)
            }
        }
    }

    func body(_ json: JSONValue, _ kind: Kind) -> [UInt8] {
        let meta = delimited(1, Array(kind.id.apiVersion.utf8)) + delimited(2, Array(kind.id.kind.utf8))
        return [0x6B, 0x38, 0x73, 0] + delimited(1, meta) + delimited(2, message(json, kind.type)) + delimited(3, [])
            + delimited(4, [])
    }

    /// What is left of an object: a message has no empty lists, and no zeros that Go does not tell from missing.
    func told(_ json: JSONValue, _ id: ObjectType.ID, isRoot: Bool = true) -> JSONValue {
        var result = JSONObject()
        for field in schema[id].fields {
            guard let value = json[field.name] else { continue }
            if field.number == nil {
                if isRoot { result[field.name] = value }
                continue
            }
            let kept = told(value, field.type)
            if kept.isNull || kept == [] { continue }
            if case .map = field.type, kept == [:] { continue }
            if !field.isRequired, !field.tellsZero, ProtobufDecoder.isZero(kept, field.type) { continue }
            result[field.name] = kept
        }
        return .object(result)
    }

    private func told(_ value: JSONValue, _ type: FieldType) -> JSONValue {
        switch type {
        case .object(let id): told(value, id, isRoot: false)
        case .list(let element): .array(value.array!.map { told($0, element) })
        case .map(let element): .object(value.object!.mapValues { told($0, element) })
        default: value
        }
    }
}

@Suite struct ProtobufTests {
    private let encoder = Encoder()

    func decode(_ bytes: [UInt8], _ kind: Kind) throws -> JSONValue {
        try ProtobufDecoder.decode(ProtobufDecoder.envelope(bytes), as: kind, of: .kubernetes)
    }

    @Test func `a config map as kubectl sends it`() throws {
        // kubectl create configmap c --from-literal=a=b: metadata with an empty time, data, and nothing else.
        let meta: [UInt8] =
            [0x0A, 1] + Array("c".utf8) + [0x12, 0, 0x1A, 0, 0x22, 0, 0x2A, 0, 0x32, 0, 0x38, 0, 0x42, 0]
        let data: [UInt8] = [0x12, 6, 0x0A, 1] + Array("a".utf8) + [0x12, 1] + Array("b".utf8)
        let object: [UInt8] = [0x0A, UInt8(meta.count)] + meta + data
        let type: [UInt8] = [0x0A, 2] + Array("v1".utf8) + [0x12, 9] + Array("ConfigMap".utf8)
        let body: [UInt8] =
            [0x6B, 0x38, 0x73, 0, 0x0A, UInt8(type.count)] + type + [0x12, UInt8(object.count)] + object + [
                0x1A, 0, 0x22, 0,
            ]
        #expect(
            try decode(body, kind("v1", "ConfigMap"))
                == ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "c"], "data": ["a": "b"]])
    }

    @Test func `zero stays where it is told from missing`() throws {
        let deployment = kind("apps/v1", "Deployment")
        let json: JSONValue = [
            "spec": [
                "replicas": 0, "minReadySeconds": 0, "paused": false,
                "template": ["spec": ["volumes": [["name": "v", "emptyDir": [:]]]]],
            ]
        ]
        let decoded = try decode(encoder.body(json, deployment), deployment)
        #expect(
            decoded["spec"] == ["replicas": 0, "template": ["spec": ["volumes": [["name": "v", "emptyDir": [:]]]]]])
    }

    @Test func `objects of any kind come through`() throws {
        var chance = SeededChance(seed: 101)
        var random = RandomObjects(schema: .kubernetes)
        for round in 0..<500 {
            let kind = Schema.kubernetes.kinds[round % Schema.kubernetes.kinds.count]
            let json = try ObjectDecoder.decode(
                random.object(of: kind, &chance), as: kind, of: .kubernetes, fieldValidation: .strict
            ).json
            let decoded = try decode(encoder.body(json, kind), kind)
            #expect(decoded == encoder.told(json, kind.type), "\(kind.id) \(chance) round \(round)")
        }
    }

    @Test func `no bytes trap the decoder`() throws {
        var chance = SeededChance(seed: 102)
        var random = RandomObjects(schema: .kubernetes)
        for round in 0..<4000 {
            let kind = Schema.kubernetes.kinds[round % Schema.kubernetes.kinds.count]
            let json = try ObjectDecoder.decode(
                random.object(of: kind, &chance), as: kind, of: .kubernetes, fieldValidation: .strict
            ).json
            var bytes = encoder.body(json, kind)
            for _ in 0..<Int.random(in: 1...4, using: &chance) {
                bytes[Int.random(in: 4..<bytes.count, using: &chance)] = UInt8.random(in: 0...255, using: &chance)
            }
            if Bool.random(using: &chance) { bytes.removeLast(Int.random(in: 0..<bytes.count - 4, using: &chance)) }
            guard let decoded = try? decode(bytes, kind) else { continue }
            _ = try? ObjectDecoder.decode(decoded, as: kind, of: .kubernetes, fieldValidation: .warn)
        }
    }

    @Test func `what is no message says why`() {
        let pod = kind("v1", "Pod")
        let cases: [([UInt8], String)] = [
            (
                Array("{}".utf8),
                "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
            ),
            ([0x6B, 0x38, 0x73, 0, 0x12, 9, 1], "unexpected EOF"),
            ([0x6B, 0x38, 0x73, 0, 0x0B], "proto: illegal wireType 3"),
            ([0x6B, 0x38, 0x73, 0, 0x00], "proto: illegal tag 0"),
            (
                [0x6B, 0x38, 0x73, 0] + encoder.delimited(4, Array("x/y".utf8)),
                #"the message is encoded as "x/y", which is not read here"#
            ),
            ([0x6B, 0x38, 0x73, 0] + encoder.delimited(2, [0x08, 1]), "proto: wrong wireType = 0"),
        ]
        for (bytes, problem) in cases {
            let error = #expect(throws: ProtobufError.self) { try decode(bytes, pod) }
            #expect(error?.description == problem)
        }
    }
}
