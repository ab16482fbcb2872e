/// The two messages of grpc.health.v1.Health/Check, in protobuf and framed as gRPC frames them: a byte that says whether
/// it is compressed, four bytes of length, the message.
enum HealthMessages {
    /// grpc.health.v1.HealthCheckResponse.ServingStatus
    enum Serving: Hashable, Sendable {
        case unknown, serving, notServing, serviceUnknown
        case other(UInt64)

        init(_ number: UInt64) {
            self =
                switch number {
                case 0: .unknown
                case 1: .serving
                case 2: .notServing
                case 3: .serviceUnknown
                default: .other(number)
                }
        }

        var name: String {
            switch self {
            case .unknown: "UNKNOWN"
            case .serving: "SERVING"
            case .notServing: "NOT_SERVING"
            case .serviceUnknown: "SERVICE_UNKNOWN"
            case .other(let number): "\(number)"
            }
        }
    }

    /// No answer to a check is longer.
    static let answerLimit = 64 << 10

    /// HealthCheckRequest: field 1 is the service's name, left out when it is empty.
    static func request(service: String) -> [UInt8] {
        let name = Array(service.utf8)
        let message: [UInt8] = name.isEmpty ? [] : [0x0a] + varint(UInt64(name.count)) + name
        let length = UInt32(message.count)
        return [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + message
    }

    /// HealthCheckResponse: field 1 is the status; what else there is belongs to later versions.
    ///
    /// - Throws: a status of kind internal for what is no such message.
    static func status(framed bytes: [UInt8]) throws(GRPCStatus) -> Serving {
        guard bytes.count >= 5, bytes[0] == 0 else {
            throw GRPCStatus(.internal, "the answer to the check is empty, or compressed though nobody asked for that")
        }
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count == 5 + length else { throw malformed }
        var rest = bytes[5...]
        var status: UInt64 = 0
        while !rest.isEmpty {
            let tag = try readVarint(&rest)
            switch tag & 7 {
            case 0:
                let value = try readVarint(&rest)
                if tag >> 3 == 1 { status = value }
            case 1: try skip(8, &rest)
            case 2: try skip(try readVarint(&rest), &rest)
            case 5: try skip(4, &rest)
            default: throw malformed
            }
        }
        return Serving(status)
    }

    private static let malformed = GRPCStatus(.internal, "grpc: failed to unmarshal the received message")

    private static func skip(_ count: UInt64, _ rest: inout ArraySlice<UInt8>) throws(GRPCStatus) {
        guard count <= UInt64(rest.count) else { throw malformed }
        rest = rest.dropFirst(Int(count))
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var (value, bytes) = (value, [UInt8]())
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    private static func readVarint(_ rest: inout ArraySlice<UInt8>) throws(GRPCStatus) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { throw malformed }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw malformed
    }
}
