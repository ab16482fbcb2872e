import Glibc
import Images
import Linux
import TestKit
import Testing

/// Zip archives with random damage: nothing outside is touched, nothing traps, and what failed says why.
/// FORKLESS_FUZZ_SECONDS makes it run longer; inputs that are worth keeping are in Tests/Fuzz/Corpus/lambda-zip.
struct ZipFuzzTests {
    private static let corpus = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fuzz/Corpus/lambda-zip"

    @Test func `damaged zip archives unpack or are refused, and nothing else happens`() throws {
        var seeds: [[UInt8]] = []
        for name in try Files.list(Self.corpus).sorted() { seeds.append(try Files.read(Self.corpus + "/" + name)) }
        #expect(seeds.count >= 5)
        let seconds = getenv("FORKLESS_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) }
        let end = ContinuousClock.now + .seconds(seconds ?? 0)
        var chance = SeededChance(seed: seconds == nil ? 2026 : .random(in: .min ... .max))
        var rounds = 0
        var unpacked = 0
        while rounds < 300 || ContinuousClock.now < end {
            if try Self.round(seeds[rounds % seeds.count], &chance) { unpacked += 1 }
            rounds += 1
        }
        #expect(unpacked > 0 && unpacked < rounds, "damage that always or never matters tests nothing (\(chance))")
        if seconds != nil { print("\(rounds) zip archives, \(unpacked) unpacked, \(chance)") }
    }

    private static func round(_ seed: [UInt8], _ chance: inout SeededChance) throws -> Bool {
        let place = try UnpackingPlace()
        let bytes = damaged(seed, &chance)
        var limits = ZipLimits()
        limits.bytes = 4 << 20
        limits.entries = 500
        defer { #expect(place.outsideIsUntouched, "\(chance)") }
        do throws(ArchiveFailure) {
            let result = try ZipUnpacker.unpackBlocking(bytes, into: place.root, limits: limits)
            #expect(result.fileBytes <= limits.bytes && result.entries <= limits.entries, "\(chance)")
            return true
        } catch {
            #expect(!error.sentence.isEmpty, "\(chance)")
            if case .system(let why) = error.reason { Issue.record("the kernel had to refuse it: \(why) (\(chance))") }
            return false
        }
    }

    private static let numbers: [[UInt8]] = [
        [0, 0], [0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0x7F], [8, 0], [1, 0], Array("../".utf8),
        Array("/".utf8), [0], Array("PK\u{1}\u{2}".utf8), Array("PK\u{3}\u{4}".utf8), Array("PK\u{5}\u{6}".utf8), Array("PK\u{6}\u{6}".utf8),
    ]

    private static func damaged(_ seed: [UInt8], _ chance: inout SeededChance) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 0...5, using: &chance) where !bytes.isEmpty {
            // Headers are where it hurts: near a signature more often than anywhere.
            var at = Int.random(in: 0..<bytes.count, using: &chance)
            if Int.random(in: 0..<3, using: &chance) > 0, let mark = bytes[at...].firstIndex(of: UInt8(ascii: "P")) {
                at = min(bytes.count - 1, mark + Int.random(in: 0..<50, using: &chance))
            }
            switch Int.random(in: 0..<6, using: &chance) {
            case 0, 1: bytes[at] = .random(in: 0...255, using: &chance)
            case 2:
                let number = numbers.randomElement(using: &chance)!
                for (offset, byte) in number.enumerated() where at + offset < bytes.count { bytes[at + offset] = byte }
            case 3: bytes.remove(at: at)
            case 4: bytes.insert(.random(in: 0...255, using: &chance), at: at)
            default:
                let from = Int.random(in: 0..<bytes.count, using: &chance)
                let piece = Array(bytes[from..<min(bytes.count, from + Int.random(in: 1...60, using: &chance))])
                for (offset, byte) in piece.enumerated() where at + offset < bytes.count { bytes[at + offset] = byte }
            }
        }
        if Int.random(in: 0..<12, using: &chance) == 0 { bytes.removeLast(.random(in: 0..<bytes.count, using: &chance)) }
        return bytes
    }
}
