import Synchronization
import TestKit
import Testing

@testable import KubeServing

/// Frames as a client sends them. The header blocks are packed by the server's own deflater, which real clients unpack
/// in KubectlTests.
struct SPDYClientFrames {
    let deflater = SPDYDeflater()

    func open(_ stream: UInt32, _ headers: [(name: String, value: String)], isLast: Bool = false) -> [UInt8] {
        var body: [UInt8] = []
        body.appendBigEndian(stream)
        body.appendBigEndian(0)
        return Self.control(1, isLast ? 1 : 0, body + [0, 0] + deflater.block(headers))
    }

    static func control(_ kind: UInt8, _ flags: UInt8, _ body: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = [0x80, 3, 0, kind]
        frame.appendBigEndian(UInt32(body.count) | UInt32(flags) << 24)
        return frame + body
    }

    static func number(_ kind: UInt8, _ numbers: UInt32...) -> [UInt8] {
        var body: [UInt8] = []
        for number in numbers { body.appendBigEndian(number) }
        return control(kind, 0, body)
    }
}

/// A link that a test feeds and that keeps what is sent.
private final class TestLink: ByteLink {
    private let input = ByteQueue()
    private let sent = Mutex<(bytes: [UInt8], isFinished: Bool)>(([], false))

    var bytes: [UInt8] { sent.withLock { $0.bytes } }
    var isFinished: Bool { sent.withLock { $0.isFinished } }

    func feed(_ bytes: [UInt8]) async { _ = await input.put(bytes) }
    func endInput() { input.end() }

    func next() async -> [UInt8]? { await input.next() }
    func send(_ bytes: [UInt8]) async -> Bool {
        give(bytes)
        return true
    }
    func give(_ bytes: [UInt8]) { sent.withLock { $0.bytes += bytes } }
    func finish() { sent.withLock { $0.isFinished = true } }
    func abort() { sent.withLock { $0.isFinished = true } }
    func whenGone(_ action: @escaping @Sendable () -> Void) {}
}

@Suite(.timeLimit(.minutes(1))) struct SPDYTests {
    private func conversation(_ chance: inout SeededChance) -> [UInt8] {
        let client = SPDYClientFrames()
        var bytes = SPDYClientFrames.number(4, 0)
        for index in 0..<20 as Range<UInt32> {
            let stream = index * 2 + 1
            bytes += client.open(
                stream, [("streamtype", "data"), ("port", "\(8000 + index)"), ("requestid", "\(index)")])
            let data = (0..<Int.random(in: 0...3000, using: &chance)).map { _ in
                UInt8.random(in: 0...255, using: &chance)
            }
            bytes += SPDYEncoder.data(stream, data, isLast: Bool.random(using: &chance))
            bytes += SPDYClientFrames.number(6, stream)
            bytes += SPDYClientFrames.number(9, stream, 1000)
            if Bool.random(using: &chance) { bytes += SPDYClientFrames.number(3, stream, 5) }
        }
        return bytes + SPDYClientFrames.number(7, 0, 0)
    }

    /// With the data of each stream put together between other events.
    private func joined(_ events: [SPDYDecoder.Event]) -> [SPDYDecoder.Event] {
        events.reduce(into: []) { all, event in
            if case .data(let stream, let more, let isLast) = event, case .data(stream, let bytes, false)? = all.last {
                all[all.count - 1] = .data(stream, bytes + more, isLast: isLast)
            } else {
                all.append(event)
            }
        }
    }

    @Test func `frames of SPDY are the same however they are cut`() throws {
        for seed in 0..<50 as Range<UInt64> {
            var chance = SeededChance(seed: seed)
            let bytes = conversation(&chance)
            var whole = SPDYDecoder()
            let expected = joined(try whole.decode(bytes))
            #expect(expected.last == .goAway)
            let opened = expected.filter { if case .opened = $0 { true } else { false } }
            #expect(opened.count == 20)
            #expect(
                opened.last
                    == .opened(39, headers: ["streamtype": "data", "port": "8019", "requestid": "19"], isLast: false))
            var pieces = SPDYDecoder()
            var events: [SPDYDecoder.Event] = []
            var at = 0
            while at < bytes.count {
                let count = min(Int.random(in: 1...200, using: &chance), bytes.count - at)
                events += try pieces.decode(Array(bytes[at..<at + count]))
                at += count
            }
            #expect(joined(events) == expected, "\(chance)")
        }
    }

    @Test func `what breaks the rules of SPDY is refused`() {
        let block = SPDYDeflater().block([])
        let broken: [([UInt8], String)] = [
            ([0x80, 2, 0, 6, 0, 0, 0, 4], "version 2"), ([0, 0, 0, 0, 0, 0, 0, 1], "stream 0"),
            ([0x80, 3, 0, 1, 0, 2, 0, 0], "a control frame of 131072 bytes"),
            (SPDYClientFrames.control(5, 0, []), "unknown kind 5"),
            (SPDYClientFrames.control(6, 0, [1]), "with 1 bytes"),
            (SPDYClientFrames.control(1, 0, [0, 0, 0, 1]), "header block"),
            (SPDYClientFrames.control(1, 0, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [1, 2, 3]), "header block"),
            (SPDYClientFrames.control(1, 0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + block), "stream 0"),
        ]
        for (bytes, reason) in broken {
            var decoder = SPDYDecoder()
            let violation = #expect(throws: SPDYViolation.self) { try decoder.decode(bytes) }
            #expect(violation?.reason.contains(reason) == true, "\(bytes): \(String(describing: violation))")
            #expect(throws: SPDYViolation.self) { try decoder.decode(SPDYClientFrames.number(6, 1)) }
        }
    }

    @Test func `a header block that unpacks without end is refused`() {
        let packed = SPDYDeflater().block([("a", String(repeating: "x", count: SPDYInflater.limit))])
        #expect(packed.count < 1000)
        #expect(SPDYInflater().headers(packed) == nil)
        let most = String(repeating: "x", count: SPDYInflater.limit - 100)
        #expect(SPDYInflater().headers(SPDYDeflater().block([("a", most)])) == ["a": most])
    }

    @Test func `random bytes of SPDY are decoded or refused`() {
        for seed in 0..<300 as Range<UInt64> {
            var chance = SeededChance(seed: seed)
            var bytes = conversation(&chance)
            for _ in 0..<Int.random(in: 1...20, using: &chance) {
                bytes[Int.random(in: 0..<min(bytes.count, 2000), using: &chance)] = UInt8.random(
                    in: 0...255, using: &chance)
            }
            var decoder = SPDYDecoder()
            _ = try? decoder.decode(Array(bytes.prefix(3000)))
        }
    }

    @Test func `streams that a client may not open are reset`() async throws {
        let link = TestLink()
        let connection = SPDYConnection(link)
        let client = SPDYClientFrames()
        await link.feed(
            client.open(3, []) + client.open(1, []) + client.open(4, []) + client.open(5, [])
                + SPDYClientFrames.number(6, 9))
        let events = await connection.next()
        #expect(events == [.opened(3, headers: [:], isLast: false), .opened(5, headers: [:], isLast: false)])
        let encoder = SPDYEncoder()
        #expect(
            link.bytes
                == encoder.reply(3) + encoder.reset(1, .protocolError) + encoder.reset(4, .protocolError)
                + encoder.reply(5)
                + encoder.ping(9))
        var many: [UInt8] = []
        for index in 0..<UInt32(SPDYConnection.streamLimit) { many += client.open(7 + index * 2, []) }
        await link.feed(many)
        var count = 2
        while count < SPDYConnection.streamLimit { count += await connection.next()?.count ?? 0 }
        #expect(link.bytes.suffix(16) == encoder.reset(7 + UInt32(SPDYConnection.streamLimit - 1) * 2, .refused))
    }

    @Test func `nothing is sent on a stream that was reset`() async throws {
        let link = TestLink()
        let connection = SPDYConnection(link)
        await link.feed(SPDYClientFrames().open(1, []))
        _ = await connection.next()
        #expect(await connection.send([1, 2], on: 1))
        await link.feed(SPDYClientFrames.number(3, 1, 5))
        #expect(await connection.next() == [.reset(1)])
        let before = link.bytes
        #expect(await !connection.send([3], on: 1))
        connection.end(1)
        #expect(link.bytes == before)
        await link.feed([0x80, 9, 0, 0, 0, 0, 0, 0])
        #expect(await connection.next() == nil)
        #expect(link.isFinished)
        #expect(link.bytes.suffix(16) == SPDYEncoder().goAway(last: 1, isViolation: true))
    }
}
