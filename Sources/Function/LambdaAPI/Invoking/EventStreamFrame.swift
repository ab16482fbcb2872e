/// One message of `application/vnd.amazon.eventstream`: lengths, a checksum of these, headers, payload, a checksum of all.
enum EventStreamFrame {
    /// - Parameter headers: of type string.
    static func bytes(_ headers: [(name: String, value: String)], _ payload: some Collection<UInt8>) -> [UInt8] {
        var fields: [UInt8] = []
        for (name, value) in headers {
            fields.append(UInt8(name.utf8.count))
            fields += Array(name.utf8)
            fields.append(7)  // a string, with a length of two bytes
            fields += [UInt8(value.utf8.count >> 8), UInt8(value.utf8.count & 0xFF)]
            fields += Array(value.utf8)
        }
        let total = 12 + fields.count + payload.count + 4
        var frame: [UInt8] = []
        frame.reserveCapacity(total)
        append(UInt32(total), to: &frame)
        append(UInt32(fields.count), to: &frame)
        append(Checksum.crc32(frame), to: &frame)
        frame += fields
        frame += payload
        append(Checksum.crc32(frame), to: &frame)
        return frame
    }

    /// A part of a function's answer.
    static func payloadChunk(_ bytes: some Collection<UInt8>) -> [UInt8] {
        event("PayloadChunk", "application/octet-stream", bytes)
    }

    /// The end of an answer.
    static func invokeComplete(_ json: [UInt8]) -> [UInt8] { event("InvokeComplete", "application/json", json) }

    private static func event(_ type: String, _ contentType: String, _ payload: some Collection<UInt8>) -> [UInt8] {
        bytes([(":event-type", type), (":content-type", contentType), (":message-type", "event")], payload)
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift)))
        }
    }
}
