import Glibc
import Images
import Linux
import OCI
import TestKit
import Testing

/// Image archives with random damage, loaded: what is listed can be unpacked, what is refused says why, and the store
/// is as before. FORKLESS_FUZZ_SECONDS makes it run longer than the few rounds of every test run.
@Suite(.enabled(if: isRoot)) struct ImageArchiveFuzzTests {
    private static let corpus = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fuzz/Corpus/image-archive"

    @Test func `damaged image archives are loaded or refused, and nothing stays of those refused`() async throws {
        let seeds = try Files.list(Self.corpus).sorted().map { try Files.read(Self.corpus + "/" + $0) }
        #expect(seeds.count >= 4)
        let seconds = getenv("FORKLESS_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) }
        let end = ContinuousClock.now + .seconds(seconds ?? 0)
        var chance = SeededChance(seed: seconds == nil ? 2026 : .random(in: .min ... .max))
        let test = try LayeredStore()
        let empty = try test.everything()
        for seed in seeds {
            #expect(try await Self.loads(seed, test))
            _ = try test.store.prune(all: true)
        }
        var rounds = 0
        var loaded = 0
        while rounds < 60 || ContinuousClock.now < end {
            if try await Self.loads(Self.damaged(seeds.randomElement(using: &chance)!, &chance), test) {
                loaded += 1
                for image in test.store.images { _ = try await test.store.unpacked(image) }
                _ = try test.store.prune(all: true)
            }
            // The list of images is rewritten; everything else is gone.
            let left = try test.everything().filter { !$0.contains("images.json") }
            #expect(left == empty.filter { !$0.contains("images.json") }, "\(chance)")
            rounds += 1
        }
        if seconds != nil { print("\(rounds) archives, \(loaded) loaded, \(chance)") }
    }

    private static func loads(_ archive: [UInt8], _ test: LayeredStore) async throws -> Bool {
        let path = test.files.path("archive.tar")
        try Files.replace(path, with: archive)
        do throws(ImageFailure) {
            _ = try await test.load(path)
            return true
        } catch {
            #expect(!error.description.isEmpty)
            return false
        }
    }

    private static let words = [
        "\"", "null", "[]", "{}", "a:1", "../", "/", "sha256:", "Layers", "Config", "manifests", "9", "-", "\0", "é",
    ].map { Array($0.utf8) }

    /// Damage in the middle of files keeps their length, so that the archive stays one.
    private static func damaged(_ seed: [UInt8], _ chance: inout SeededChance) -> [UInt8] {
        var bytes = seed
        for _ in 0...Int.random(in: 0..<3, using: &chance) {
            let at = Int.random(in: 0..<bytes.count, using: &chance)
            let word = words.randomElement(using: &chance)!
            switch Int.random(in: 0..<3, using: &chance) {
            case 0: bytes[at] = .random(in: 0...255, using: &chance)
            case 1: bytes.replaceSubrange(at..<min(bytes.count, at + word.count), with: word)
            default:
                // A file in another place, or once more.
                let from = Int.random(in: 0..<(bytes.count / 512), using: &chance) * 512
                let block = Array(bytes[from..<min(bytes.count, from + 1024)])
                bytes.insert(contentsOf: block, at: at / 512 * 512)
            }
            ArchiveFuzzTests.correctSum(&bytes, at / 512 * 512)
        }
        return bytes
    }
}
