/// One message (D-Bus Specification, "Message Format").
package struct BusMessage: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        case call = 1
        case answer, error, signal
    }

    package var kind: Kind
    package var serial: UInt32 = 0
    package var path: String?
    package var interface: String?
    package var member: String?
    package var errorName: String?
    package var answers: UInt32?
    package var destination: String?
    package var sender: String?
    package var body: [BusValue] = []

    package init(_ kind: Kind) { self.kind = kind }

    /// A call of a method.
    package static func call(
        _ destination: String, _ path: String, _ interface: String, _ member: String, _ body: [BusValue] = []
    ) -> BusMessage {
        var message = BusMessage(.call)
        message.destination = destination
        message.path = path
        message.interface = interface
        message.member = member
        message.body = body
        return message
    }

    /// Bytes of a message at most.
    static let sizeLimit = 128 << 20
    static let fixedSize = 16

    var bytes: [UInt8] {
        var content = BusWriter()
        for value in body { content.put(value) }
        var header = BusWriter()
        // 0: an answer is expected, and a service may be started for it.
        for byte in [UInt8(ascii: "l"), kind.rawValue, 0, 1] { header.put(.byte(byte)) }
        header.put(.uint32(UInt32(content.bytes.count)))
        header.put(.uint32(serial))
        header.put(.array("(yv)", fields))
        header.align(to: 8)
        return header.bytes + content.bytes
    }

    private var fields: [BusValue] {
        let all: [(UInt8, BusValue?)] = [
            (1, path.map(BusValue.path)), (2, interface.map(BusValue.string)), (3, member.map(BusValue.string)),
            (4, errorName.map(BusValue.string)), (5, answers.map(BusValue.uint32)),
            (6, destination.map(BusValue.string)), (7, sender.map(BusValue.string)),
            (8, body.isEmpty ? nil : .signature(body.map(\.signature).joined())),
        ]
        return all.compactMap { code, value in value.map { .structure([.byte(code), .variant($0)]) } }
    }

    /// How long the message is that begins with these 16 bytes.
    static func size(_ start: ArraySlice<UInt8>) throws(BusFailure) -> Int {
        var reader = try reader(start)
        guard case .uint32(let body) = try reader.value("u", depth: 0) else { return 0 }
        _ = try reader.value("u", depth: 0)
        guard case .uint32(let fields) = try reader.value("u", depth: 0) else { return 0 }
        let size = fixedSize + (Int(fields) + 7) / 8 * 8 + Int(body)
        guard size <= sizeLimit else { throw .malformed("message of \(size) bytes") }
        return size
    }

    private static func reader(_ bytes: ArraySlice<UInt8>) throws(BusFailure) -> BusReader {
        guard let order = bytes.first, order == UInt8(ascii: "l") || order == UInt8(ascii: "B") else {
            throw .malformed("byte order \(bytes.first ?? 0)")
        }
        var reader = BusReader(bytes, isLittleEndian: order == UInt8(ascii: "l"))
        _ = try reader.values("yyyy")
        return reader
    }

    /// Reads a whole message; nil: one of a kind that nobody knows yet, to be ignored.
    init?(_ bytes: ArraySlice<UInt8>) throws(BusFailure) {
        guard bytes.count >= Self.fixedSize, let kind = Kind(rawValue: bytes[bytes.startIndex + 1]) else { return nil }
        self.kind = kind
        var reader = try Self.reader(bytes)
        let head = try reader.values("uua(yv)")
        guard case .uint32(let serial) = head[1], case .array(_, let fields) = head[2] else { return nil }
        self.serial = serial
        var signature = ""
        for field in fields {
            guard case .structure(let parts) = field, case .byte(let code) = parts[0],
                case .variant(let value) = parts[1]
            else { continue }
            switch (code, value) {
            case (1, _): path = value.text
            case (2, _): interface = value.text
            case (3, _): member = value.text
            case (4, _): errorName = value.text
            case (5, .uint32(let number)): answers = number
            case (6, _): destination = value.text
            case (7, _): sender = value.text
            case (8, _): signature = value.text ?? ""
            default: continue
            }
        }
        try reader.align(to: 8)
        var content = BusReader(bytes.dropFirst(reader.position), isLittleEndian: bytes.first == UInt8(ascii: "l"))
        body = try content.values(signature)
    }
}
