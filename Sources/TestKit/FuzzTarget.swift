internal import Glibc
internal import Linux

/// Inputs that once were interesting, damaged at random: the same for the same seed.
///
/// A short seeded run is part of `make test`. FORKLESS_FUZZ_SECONDS makes it run that long with a seed of its own; then the input
/// of each round is in /tmp/forkless-fuzz-NAME before it is tried, so that one that traps is not lost. Inputs that are worth
/// keeping are in Tests/Fuzz/Corpus/NAME.
package struct FuzzTarget: Sendable {
    package let name: String
    /// In the order of their names.
    package let corpus: [[UInt8]]
    /// What is put into inputs whole.
    private let words: [[UInt8]]

    /// - Parameter more: inputs that have to be made: packed by a program, for instance.
    package init(_ name: String, words: [String], more: [[UInt8]] = []) throws {
        self.name = name
        self.words = words.map { Array($0.utf8) }
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let place = "\(root)/Tests/Fuzz/Corpus/\(name)"
        corpus = try Files.list(place).sorted().map { try Files.read("\(place)/\($0)") } + more
        precondition(!corpus.isEmpty, "no inputs in \(place)")
    }

    /// Tries each input as it is, and then damaged ones.
    ///
    /// - Parameters:
    ///   - rounds: how many damaged ones at least.
    ///   - body: whether the input was taken; throws what must not be.
    /// - Returns: how many there were and how many were taken.
    package func run(
        rounds: Int, seed: UInt64 = 2026, isolation: isolated (any Actor)? = #isolation,
        _ body: ([UInt8], inout SeededChance) async throws -> Bool
    ) async throws -> (rounds: Int, taken: Int) {
        let seconds = getenv("FORKLESS_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) }
        let end = ContinuousClock.now + .seconds(seconds ?? 0)
        var chance = SeededChance(seed: seconds == nil ? seed : .random(in: .min ... .max))
        var (done, taken) = (0, 0)
        while done < rounds + corpus.count || ContinuousClock.now < end {
            let input = done < corpus.count ? corpus[done] : damaged(&chance)
            if seconds != nil { try Files.replace("/tmp/forkless-fuzz-\(name)", with: input, mode: 0o644) }
            do { if try await body(input, &chance) { taken += 1 } } catch {
                throw Found(description: "\(name), \(chance), round \(done): \(error) on \(Self.shown(input))")
            }
            done += 1
        }
        if seconds != nil { print("\(name): \(done) inputs, \(taken) taken, \(chance)") }
        return (done, taken)
    }

    /// What must not be, with the input that showed it.
    package struct Found: Error, CustomStringConvertible {
        package var description: String
    }

    private static func shown(_ bytes: [UInt8]) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { return "\(bytes)" }
        return text
    }

    private func damaged(_ chance: inout SeededChance) -> [UInt8] {
        var bytes = corpus.randomElement(using: &chance)!
        for _ in 0...Int.random(in: 0...3, using: &chance) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &chance)
            let end = min(bytes.count, at + Int.random(in: 1...24, using: &chance))
            switch Int.random(in: 0..<7, using: &chance) {
            case 0: bytes[at] = .random(in: 0...255, using: &chance)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &chance)
            case 2: bytes.replaceSubrange(at..<end, with: words.randomElement(using: &chance)!)
            case 3: bytes.insert(contentsOf: words.randomElement(using: &chance)!, at: at)
            case 4: bytes.removeSubrange(at..<end)
            case 5:
                bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &chance))
            default:
                let other = corpus.randomElement(using: &chance)!
                let from = Int.random(in: 0...other.count, using: &chance)
                let length = min(other.count - from, Int.random(in: 1...40, using: &chance))
                bytes.replaceSubrange(at..<end, with: other[from..<from + length])
            }
        }
        return bytes
    }
}
