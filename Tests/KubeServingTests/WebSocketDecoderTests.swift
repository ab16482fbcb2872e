import TestKit
import Testing

@testable import KubeServing

/// Frames as a client sends them.
struct ClientFrame {
    /// Masked with `mask`.
    static func bytes(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, mask: [UInt8] = [1, 2, 3, 4])
        -> [UInt8]
    {
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        if payload.count <= 125 {
            bytes.append(0x80 | UInt8(payload.count))
        } else if payload.count <= 0xFFFF {
            bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        } else {
            bytes.append(0x80 | 127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(payload.count >> shift & 0xFF)) }
        }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }
}

@Suite(.timeLimit(.minutes(1))) struct WebSocketDecoderTests {
    /// The whole messages and control frames that pieces make up.
    private func messages(_ events: [WebSocketDecoder.Event]) -> [String] {
        var messages: [String] = []
        var begun: [UInt8]?
        for event in events {
            switch event {
            case .piece(let bytes, let isFirst, let isLast):
                #expect(isFirst == (begun == nil))
                let all = (begun ?? []) + bytes
                begun = isLast ? nil : all
                if isLast { messages.append("\(all.count):\(all.reduce(0) { $0 &* 31 &+ Int($1) })") }
            case .ping(let bytes): messages.append("ping \(bytes)")
            case .pong: messages.append("pong")
            case .close(let code): messages.append("close \(code ?? 0)")
            }
        }
        return messages
    }

    @Test func `frames are the same however they are cut`() throws {
        for seed in 0..<50 as Range<UInt64> {
            var chance = SeededChance(seed: seed)
            var bytes: [UInt8] = []
            for _ in 0..<20 {
                let size = [0, 1, 5, 125, 126, 1000, 70_000].randomElement(using: &chance)!
                let payload = (0..<size).map { _ in UInt8.random(in: 0...255, using: &chance) }
                let mask = (0..<4).map { _ in UInt8.random(in: 0...255, using: &chance) }
                if Bool.random(using: &chance) {
                    bytes += ClientFrame.bytes(2, payload, mask: mask)
                } else {
                    let cut = Int.random(in: 0...size, using: &chance)
                    bytes += ClientFrame.bytes(1, Array(payload[..<cut]), isFinal: false, mask: mask)
                    bytes += ClientFrame.bytes(9, [1, 2], mask: mask)
                    bytes += ClientFrame.bytes(0, Array(payload[cut...]), mask: mask)
                }
            }
            bytes += ClientFrame.bytes(8, [3, 232])
            var whole = WebSocketDecoder()
            let expected = messages(try whole.decode(bytes))
            #expect(expected.last == "close 1000")
            var pieces = WebSocketDecoder()
            var events: [WebSocketDecoder.Event] = []
            var at = 0
            while at < bytes.count {
                let count = min(Int.random(in: 1...5000, using: &chance), bytes.count - at)
                events += try pieces.decode(Array(bytes[at..<at + count]))
                at += count
            }
            #expect(messages(events) == expected, "\(chance)")
        }
    }

    @Test(
        arguments: [
            ([0x82, 0x01, 7], "no mask"), ([0xC2], "reserved bit"), ([0x83], "opcode is reserved"),
            ([0x09, 0x80], "control frame"), ([0x89, 0xFE], "control frame"), ([0x80, 0x80], "without a begin"),
            ([0x02, 0x80, 0, 0, 0, 0, 0x82, 0x80], "within another"), ([0x88, 0x81, 0, 0, 0, 0, 3], "half a status"),
            ([0x88, 0x82, 0, 0, 0, 0, 3, 237], "1005 is no status"),
            ([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "negative"),
        ] as [([UInt8], String)])
    func `what breaks the rules is refused`(_ bytes: [UInt8], _ reason: String) {
        var decoder = WebSocketDecoder()
        let violation = #expect(throws: WebSocketViolation.self) { try decoder.decode(bytes) }
        #expect(violation?.reason.contains(reason) == true, "\(String(describing: violation))")
        #expect(violation?.code == 1002)
        #expect(throws: WebSocketViolation.self) { try decoder.decode(ClientFrame.bytes(2, [1])) }
    }

    @Test func `random bytes are decoded or refused`() {
        for seed in 0..<20_000 as Range<UInt64> {
            var chance = SeededChance(seed: seed)
            var decoder = WebSocketDecoder()
            for _ in 0..<4 {
                let bytes = (0..<Int.random(in: 0...40, using: &chance)).map { _ in
                    UInt8.random(in: 0...255, using: &chance)
                }
                // Half of them look like frames at first.
                let begin: [UInt8] =
                    Bool.random(using: &chance) ? [0x82, 0x80 | UInt8.random(in: 0...127, using: &chance)] : []
                guard (try? decoder.decode(begin + bytes)) != nil else { break }
            }
        }
    }

    @Test func `what the server sends has the length that it says`() throws {
        for count in [0, 1, 124, 125, 126, 65_534, 65_535, 65_536, 100_000] {
            let frame = WebSocketEncoder.frame(.binary, first: 9, [UInt8](repeating: 7, count: count))
            let length = count + 1
            let head = length <= 125 ? 2 : length <= 65_535 ? 4 : 10
            #expect(frame.count == head + length)
            #expect(frame[head] == 9)
        }
    }
}
