import JSON
import Linux
import TestKit
import Testing

@testable import Deploying

/// Mutates the files of `Tests/Fuzz/Corpus/template`. A run is a seed and so can be repeated; `FORKLESS_FUZZ_ROUNDS`
/// makes it longer, `FORKLESS_FUZZ_SEED` makes it another one.
@Suite struct TemplateFuzzTests {
    private static let words = [
        "!Ref ", "!Sub ", "!GetAtt ", "!Join ", "Fn::Sub", "Ref: ", "${", "}", "{", "[", "]", "- ", "? ", ": ", "\n", "  ", "\t", "'", "\"",
        "|", ">", "&a ", "*a", "<<: ", "~", "null", "true", "AWS::NoValue", "AWS::Region", "Properties", "Type", "Events", "Globals",
        "99999999999999999999", "-1", "\u{FEFF}", "\0", "é", "#", "%YAML 1.2\n", "---\n", "...\n", "!!binary ", "Scorer.Alias", "Messages",
    ].map { Array($0.utf8) }

    @Test func `no text makes the reader trap`() throws {
        let names = try Files.list(TemplateTests.corpusDirectory).sorted()
        #expect(names.count >= 4)
        let corpus = try names.map { try TemplateTests.corpus($0) }
        let seed = OwnProcess.variable("FORKLESS_FUZZ_SEED").flatMap(UInt64.init) ?? 1
        let rounds = OwnProcess.variable("FORKLESS_FUZZ_ROUNDS").flatMap(Int.init) ?? 3_000
        var chance = SeededChance(seed: seed)
        var accepted = 0
        let place = DeploymentPlace(region: "us-east-1", directory: "/d")
        for _ in 0..<rounds {
            let bytes = Self.mutated(corpus, &chance)
            guard let plan = try? Template.plan(bytes, at: place) else { continue }
            accepted += 1
            #expect(plan == (try Template.plan(bytes, at: place)), "\(chance)")
            for mapping in plan.mappings { #expect(!JSONWriter.text(.object(mapping.fields)).isEmpty) }
        }
        // Mutations that are all refused would not reach what lies behind the first check.
        #expect(accepted > 0 && accepted < rounds, "\(chance)")
    }

    @Test func `each file of the corpus is a template`() throws {
        for name in try Files.list(TemplateTests.corpusDirectory) {
            _ = try Template.plan(try TemplateTests.corpus(name), at: DeploymentPlace(region: "us-east-1", directory: "/d"))
        }
    }

    private static func mutated(_ corpus: [[UInt8]], _ chance: inout SeededChance) -> [UInt8] {
        var bytes = corpus.randomElement(using: &chance)!
        for _ in 0...Int.random(in: 0...4, using: &chance) {
            let at = Int.random(in: 0...bytes.count, using: &chance)
            let end = min(bytes.count, at + Int.random(in: 0...24, using: &chance))
            switch Int.random(in: 0...5, using: &chance) {
            case 0: bytes.removeSubrange(at..<end)
            case 1: bytes.insert(contentsOf: words.randomElement(using: &chance)!, at: at)
            case 2: bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &chance))
            case 3: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &chance) }
            case 4: bytes.replaceSubrange(at..<end, with: words.randomElement(using: &chance)!)
            default:
                let other = corpus.randomElement(using: &chance)!
                let from = Int.random(in: 0...other.count, using: &chance)
                bytes.insert(contentsOf: other[from..<min(other.count, from + 64)], at: at)
            }
        }
        return bytes
    }
}
