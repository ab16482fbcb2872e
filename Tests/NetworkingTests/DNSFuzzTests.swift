import Linux
import TestKit
import Testing

@testable import Networking

/// Mutates the messages of `Tests/Fuzz/Corpus/dns`. A run is a seed and so can be repeated; `FORKLESS_FUZZ_ROUNDS`
/// makes it longer, `FORKLESS_FUZZ_SEED` makes it another one.
@Suite struct `name messages of strangers` {
    private static func corpus() throws -> [[UInt8]] {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        let path = "\(here)/Fuzz/Corpus/dns"
        return try Files.list(path).sorted().map { try Files.read("\(path)/\($0)", limit: 1 << 16) }
    }

    private static func number(_ variable: String) -> Int? { OwnProcess.variable(variable).flatMap { Int($0) } }

    /// A table in which some of the names are known, and who may ask.
    private static let table: NameTable = {
        var table = NameTable()
        let six = IPAddress("fd00::2")!
        table.set([.init(containerID: "1", network: "desk", names: ["web", "www"], addresses: [IPAddress("10.201.0.2")!, six])], of: "1")
        table.set([.init(containerID: "2", network: "inside", names: ["a"], addresses: [IPAddress("10.202.0.2")!], isInternal: true)], of: "2")
        return table
    }()

    /// What is read can be written and is read the same; an answer belongs to its question and fits a datagram.
    private static func survives(_ bytes: [UInt8]) -> Bool {
        guard let message = DNSMessage(bytes) else { return false }
        precondition(DNSMessage(message.encoded) == message)
        for sender in ["10.201.0.2", "10.202.0.2", "10.203.0.2"] {
            guard case .reply(let reply) = table.decide(message, from: IPAddress(sender)!) else { continue }
            precondition(reply.isResponse && reply.id == message.id && reply.questions == message.questions)
            let short = reply.encoded(limit: 512)
            // A question alone may be longer: names have 255 bytes at most.
            precondition(short.count <= 512 || reply.questions.count > 1)
            precondition(DNSMessage(short) != nil)
        }
        return true
    }

    @Test func `no bytes make the reader of name messages trap`() throws {
        let corpus = try Self.corpus()
        #expect(corpus.count >= 15)
        var chance = SeededChance(seed: UInt64(Self.number("FORKLESS_FUZZ_SEED") ?? 1))
        var accepted = 0
        let rounds = Self.number("FORKLESS_FUZZ_ROUNDS") ?? 20_000
        for _ in 0..<rounds where Self.survives(Self.mutated(corpus, &chance)) { accepted += 1 }
        // Mutations that are all refused would not reach what lies behind the first check.
        #expect(accepted > 0 && accepted < rounds)
    }

    @Test func `the corpus has messages of both kinds`() throws {
        let kinds = try Self.corpus().map(Self.survives)
        #expect(kinds.contains(true) && kinds.contains(false))
    }

    private static func mutated(_ corpus: [[UInt8]], _ chance: inout SeededChance) -> [UInt8] {
        var bytes = corpus.randomElement(using: &chance)!
        for _ in 0...Int.random(in: 0..<5, using: &chance) {
            let at = Int.random(in: 0...bytes.count, using: &chance)
            let end = min(bytes.count, at + Int.random(in: 0..<12, using: &chance))
            switch Int.random(in: 0..<6, using: &chance) {
            case 0: bytes.removeSubrange(at..<end)
            case 1: bytes.insert(contentsOf: [0xc0, UInt8.random(in: 0...255, using: &chance)], at: at)
            case 2: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &chance))
            case 3: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &chance) }
            case 4: if at < bytes.count { bytes[at] &+= Bool.random(using: &chance) ? 1 : 255 }
            default:
                let other = corpus.randomElement(using: &chance)!
                let from = Int.random(in: 0...other.count, using: &chance)
                bytes.insert(contentsOf: other[from..<min(other.count, from + 32)], at: at)
            }
        }
        return bytes
    }
}
