import Building
import Linux
import TestKit
import Testing

/// Mutates the files of `Tests/Fuzz/Corpus/dockerfile`. A run is a seed and so can be repeated; `FORKLESS_FUZZ_ROUNDS`
/// makes it longer, `FORKLESS_FUZZ_SEED` makes it another one.
@Suite struct DockerfileFuzzTests {
    @Test func `no bytes make the parser trap`() throws {
        let corpus = try FuzzCorpus.files(of: "dockerfile")
        #expect(corpus.count >= 8)
        var mutator = FuzzMutator(seed: FuzzCorpus.number("FORKLESS_FUZZ_SEED") ?? 1)
        var accepted = 0
        let rounds = FuzzCorpus.number("FORKLESS_FUZZ_ROUNDS") ?? 5_000
        for _ in 0..<rounds where Self.survives(mutator.mutated(corpus)) { accepted += 1 }
        // Mutations that are all refused would not reach what lies behind the first check.
        #expect(accepted > 0 && accepted < rounds)
    }

    @Test func `each file of the corpus is read`() throws {
        for file in try FuzzCorpus.files(of: "dockerfile") { _ = try Dockerfile(parsing: file) }
    }

    /// Parses, expands every word there is and evaluates every stage: true if the file was accepted.
    private static func survives(_ bytes: [UInt8]) -> Bool {
        guard let file = try? Dockerfile(parsing: bytes) else { return false }
        let expansion = WordExpansion(escape: file.escape) { $0.utf8.count % 2 == 0 ? $0 : nil }
        for step in file.stages.flatMap(\.steps) {
            precondition(step.line >= 1)
            _ = try? expansion.word(step.text)
            _ = try? expansion.words(step.text)
            _ = try? expansion.content(step.text)
        }
        guard let graph = try? BuildGraph(file, arguments: ["A": "$A"], platform: "linux/amd64") else { return true }
        for node in graph.nodes {
            var stage = StageEvaluation(on: nil, given: ["A": "$A"], globals: graph.globals, escape: file.escape)
            for step in node.stage.steps { _ = try? stage.apply(step, origin: node.copies[step.line]) }
        }
        return true
    }
}
