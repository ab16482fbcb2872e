import TestKit
import Testing

@testable import HTTPServing

@Suite(.serialized) struct HTTPFuzzTests {
    static let good = [
        "GET /2015-03-31/functions HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "PUT /f HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", "HEAD / HTTP/1.0\r\n\r\n",
    ]

    private func spoil(_ bytes: inout [UInt8], _ chance: inout SeededChance) {
        for _ in 0..<Int.random(in: 1...6, using: &chance) where !bytes.isEmpty {
            let at = Int.random(in: bytes.indices, using: &chance)
            switch Int.random(in: 0..<6, using: &chance) {
            case 0: bytes[at] = .random(in: .min ... .max, using: &chance)
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(contentsOf: Array("\r\n".utf8), at: at)
            case 3: bytes.removeLast(bytes.count - at)
            case 4: bytes.insert(contentsOf: bytes[at..<min(at + 30, bytes.count)], at: at)
            default: bytes.insert(contentsOf: [UInt8](repeating: bytes[at], count: 3000), at: at)
            }
        }
    }

    @Test func `spoilt requests end or are answered, and the listener goes on`() async throws {
        var limits = HTTPLimits()
        limits.headTimeout = .seconds(1)
        limits.bodyTimeout = .seconds(1)
        try await ServedLoop.with(limits: limits, echo) { served in
            var chance = SeededChance(seed: .random(in: .min ... .max))
            for round in 0..<400 {
                var bytes: [UInt8] = []
                for _ in 0..<Int.random(in: 1...4, using: &chance) {
                    bytes += Array(Self.good.randomElement(using: &chance)!.utf8)
                }
                spoil(&bytes, &chance)
                let client = try await RawClient.connect(to: served.address, on: served.loop)
                // In two pieces: a parser keeps its state between them.
                let cut = Int.random(in: 0...bytes.count, using: &chance)
                client.send(Array(bytes[..<cut]))
                client.send(Array(bytes[cut...]))
                await client.endInput()
                try await eventually("the end of round \(round), \(chance)") { client.isEnded }
                await client.close()
            }
            let answer = try await HTTPCall(to: served.address, on: served.loop).answer(
                to: HTTPRequest(method: "GET", target: "/ok"))
            #expect(answer.text == "GET /ok ", "\(chance)")
            try await eventually("no connection is left, \(chance)") { await served.listener.connectionCount == 0 }
        }
    }

    @Test func `nothing is left behind`() async throws {
        let before = await Census.take(Census.Scope(only: [.descriptor, .file]))
        for _ in 0..<3 {
            try await ServedLoop.with(echo) { served in
                let client = try await RawClient.connect(to: served.address, on: served.loop)
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET ")
                try await eventually("the answer") { !client.text.isEmpty }
            }
        }
        #expect(await Census.settled(since: before) == [])
    }
}
