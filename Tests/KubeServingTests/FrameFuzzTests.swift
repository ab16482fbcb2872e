import TestKit
import Testing

@testable import KubeServing

/// Frames of WebSocket and SPDY with random damage: however they are cut, they are decoded to the same or refused.
@Suite(.timeLimit(.minutes(20))) struct FrameFuzzTests {
    private struct Different: Error { var what: String }

    @Test func `damaged frames of WebSocket are refused, or the same however they are cut`() async throws {
        let target = try FuzzTarget(
            "websocket", words: ["\0", "\u{01}", "\u{7F}", "abcd", "\u{02}\u{00}", String(repeating: "x", count: 130)])
        let (rounds, taken) = try await target.run(rounds: 8_000) { input, chance in
            let whole = Self.webSocket(input, cutting: nil, &chance)
            let cut = Self.webSocket(input, cutting: 7, &chance)
            guard whole == cut else { throw Different(what: "\(whole) \(cut)") }
            return !whole.isRefused
        }
        #expect(taken > 0 && taken < rounds)
    }

    @Test func `damaged frames of SPDY are refused, or the same however they are cut`() async throws {
        let client = SPDYClientFrames()
        let opening = client.open(1, [("streamtype", "error"), ("port", "80"), ("requestid", "0")])
        let packed =
            opening + SPDYEncoder.data(1, [1, 2, 3], isLast: true) + client.open(3, [("a", "b")], isLast: true)
        let target = try FuzzTarget(
            "spdy", words: ["\0", "\u{01}", "\u{7F}", "\u{03}\u{00}", "\0\0\0\0", "streamtype"],
            more: [packed, packed + SPDYClientFrames.number(7, 0, 0)])
        let (rounds, taken) = try await target.run(rounds: 10_000) { input, chance in
            let whole = Self.spdy(input, cutting: nil, &chance)
            let cut = Self.spdy(input, cutting: 9, &chance)
            guard whole == cut else { throw Different(what: "\(whole) \(cut)") }
            return !whole.isRefused
        }
        #expect(taken > 0 && taken < rounds)
    }

    private struct Outcome: Equatable {
        var said: [String] = []
        var isRefused = false
        /// Bytes that came since the last event of another sort, which may come in any pieces.
        var run: [UInt8] = []

        mutating func add(_ text: String) {
            if !run.isEmpty { said.append("\(run.count) \(run.reduce(0) { $0 &* 31 &+ Int($1) })") }
            run = []
            said.append(text)
        }
    }

    private static func pieces(_ input: [UInt8], _ most: Int?, _ chance: inout SeededChance) -> [[UInt8]] {
        guard let most else { return [input] }
        var (pieces, at): ([[UInt8]], Int) = ([], 0)
        while at < input.count {
            let count = min(Int.random(in: 1...most, using: &chance), input.count - at)
            pieces.append(Array(input[at..<at + count]))
            at += count
        }
        return pieces
    }

    private static func webSocket(_ input: [UInt8], cutting most: Int?, _ chance: inout SeededChance) -> Outcome {
        var (decoder, outcome) = (WebSocketDecoder(), Outcome())
        for piece in pieces(input, most, &chance) {
            guard let events = try? decoder.decode(piece) else {
                // What came whole before the mistake is told or not, by how it was cut.
                return Outcome(isRefused: true)
            }
            for event in events {
                switch event {
                case .piece(let bytes, _, let isLast):
                    outcome.run += bytes
                    if isLast { outcome.add("end") }
                case .ping(let bytes): outcome.add("ping \(bytes)")
                case .pong: outcome.add("pong")
                case .close(let code): outcome.add("close \(code ?? 0)")
                }
            }
        }
        outcome.add("over")
        return outcome
    }

    private static func spdy(_ input: [UInt8], cutting most: Int?, _ chance: inout SeededChance) -> Outcome {
        var (decoder, outcome) = (SPDYDecoder(), Outcome())
        var stream: UInt32 = 0
        for piece in pieces(input, most, &chance) {
            guard let events = try? decoder.decode(piece) else { return Outcome(isRefused: true) }
            for event in events {
                guard case .data(let number, let bytes, let isLast) = event else {
                    if case .opened(let number, let headers, let isLast) = event {
                        outcome.add("\(number) \(headers.sorted { $0.key < $1.key }) \(isLast)")
                    } else {
                        outcome.add("\(event)")
                    }
                    continue
                }
                if number != stream { outcome.add("data \(number)") }
                stream = number
                outcome.run += bytes
                if isLast { outcome.add("end") }
            }
        }
        outcome.add("over")
        return outcome
    }
}
