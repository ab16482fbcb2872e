import JSON
import TestKit
import Testing

@testable import KubeSchema

/// Selectors of labels and fields with random damage: each is refused with a sentence, or reads back from what it is written as
/// and holds for the same labels.
@Suite(.timeLimit(.minutes(20))) struct SelectorFuzzTests {
    private struct Different: Error { var what: String }

    @Test func `damaged selectors are refused, or read back as the same`() async throws {
        let target = try FuzzTarget(
            "kube-selector",
            words: [
                "=", "==", "!=", "!", " in ", " notin ", "(", ")", ",", ">", "<", " ", "\\", "\\,", "é", "\0", "a/b",
                "in", "notin", "x",
                "999999999999999999999", "-1", "metadata.name", "status.phase", "spec.nodeName", "_", ".",
            ])
        let kinds = [kind("v1", "Pod"), kind("v1", "Node"), kind("v1", "Event"), kind("apps/v1", "Deployment")]
        let (rounds, taken) = try await target.run(rounds: 8_000) { input, chance in
            let text = String(decoding: input, as: UTF8.self)
            var isTaken = false
            do throws(SelectorError) {
                let selector = try LabelSelector(text)
                let again = try LabelSelector(selector.description)
                guard again == selector else { throw SelectorError("'\(text)' is '\(selector)' and then '\(again)'") }
                isTaken = true
                let labels = Self.labels(&chance)
                guard selector.matches(labels) == again.matches(labels) else {
                    throw SelectorError("it matches otherwise")
                }
            } catch {
                if isTaken || error.description.isEmpty || (try? LabelSelector(text)) != nil {
                    throw Different(what: error.description)
                }
            }
            let kind = kinds.randomElement(using: &chance)!
            guard let selector = try? FieldSelector(text, for: kind) else { return isTaken }
            guard try FieldSelector(selector.description, for: kind) == selector else {
                throw Different(what: selector.description)
            }
            _ = selector.matches(["metadata": ["name": "x"], "status": ["phase": "Running"], "spec": ["nodeName": "n"]])
            return true
        }
        #expect(taken > 0 && taken < rounds)
    }

    private static func labels(_ chance: inout SeededChance) -> JSONValue {
        var labels: JSONValue = [:]
        for key in ["a", "b", "x", "a/b", "tier", "app"] where Bool.random(using: &chance) {
            labels[key] = .string(["", "1", "x", "web", "20"].randomElement(using: &chance)!)
        }
        return labels
    }
}
