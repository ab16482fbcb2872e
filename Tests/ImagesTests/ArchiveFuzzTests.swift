import Glibc
import Images
import Linux
import TestKit
import Testing

/// Archives with random damage, unpacked with small limits: nothing outside is touched, nothing traps, and what
/// failed says why. FORKLESS_FUZZ_SECONDS makes it run longer than the few rounds of every test run; inputs that are
/// worth keeping are in Tests/Fuzz/Corpus/archive.
@Suite(.enabled(if: isRoot)) struct ArchiveFuzzTests {
    private static let corpus = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fuzz/Corpus/archive"

    @Test func `damaged archives unpack or are refused, and nothing else happens`() async throws {
        var seeds: [[UInt8]] = []
        for name in try Files.list(Self.corpus).sorted() { seeds.append(try Files.read(Self.corpus + "/" + name)) }
        #expect(seeds.count >= 4)
        let seconds = getenv("FORKLESS_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) }
        let end = ContinuousClock.now + .seconds(seconds ?? 0)
        var chance = SeededChance(seed: seconds == nil ? 2026 : .random(in: .min ... .max))
        var rounds = 0
        while rounds < 300 || ContinuousClock.now < end {
            try Self.round(seeds[rounds % seeds.count], &chance)
            rounds += 1
        }
        if seconds != nil { print("\(rounds) archives, \(chance)") }
    }

    private static func round(_ seed: [UInt8], _ chance: inout SeededChance) throws {
        let place = try UnpackingPlace()
        var bytes = seed
        for _ in 0..<Int.random(in: 0...8, using: &chance) {
            let block = Int.random(in: 0..<max(1, bytes.count / 512), using: &chance) * 512
            let at = min(bytes.count - 1, block + Int.random(in: 0..<512, using: &chance))
            bytes[at] = Bool.random(using: &chance) ? .random(in: 0...255, using: &chance) : UInt8(ascii: "/")
            Self.correctSum(&bytes, block)
        }
        if Int.random(in: 0..<4, using: &chance) == 0 { bytes.removeLast(.random(in: 0..<bytes.count, using: &chance)) }
        var limits = ArchiveLimits.standard
        limits.bytes = 4 << 20
        limits.entries = 500
        let policy: UnpackPolicy = [.layer, .copy, .importing].randomElement(using: &chance)!
        do throws(ArchiveFailure) {
            _ = try LayerUnpacker.unpackBlocking(MemorySource(bytes), into: place.root, policy: policy, limits: limits)
        } catch {
            #expect(!error.sentence.isEmpty, "\(chance)")
        }
        #expect(place.outsideIsUntouched, "\(chance)")
    }

    /// Damage gets past the header's check sum only when that is right again.
    static func correctSum(_ bytes: inout [UInt8], _ block: Int) {
        guard block + 512 <= bytes.count, Array(bytes[(block + 257)..<(block + 262)]) == Array("ustar".utf8) else { return }
        for index in 148..<156 { bytes[block + index] = UInt8(ascii: " ") }
        let sum = String(bytes[block..<(block + 512)].reduce(0) { $0 + Int($1) }, radix: 8)
        let digits = Array((String(repeating: "0", count: max(0, 6 - sum.utf8.count)) + sum + "\0 ").utf8)
        bytes.replaceSubrange((block + 148)..<(block + 156), with: digits)
    }
}
