import JSON
import TestKit
import Testing

@testable import KubeSchema

/// Patches of all four types, with random damage, on random objects of real kinds: each is refused with a sentence and changes
/// nothing, or makes what it says.
@Suite(.timeLimit(.minutes(20))) struct PatchFuzzTests {
    private struct Wrong: Error, CustomStringConvertible { var description: String }

    @Test func `damaged patches are refused, or make what they say`() async throws {
        let target = try FuzzTarget(
            "kube-patch",
            words: [
                "null", "{}", "[]", "\"\"", "-1", "\"$patch\":\"delete\",", "\"$patch\":\"replace\",",
                "\"$retainKeys\":[\"a\"],",
                "\"$setElementOrder/containers\":[{\"name\":\"a\"}],",
                "\"$deleteFromPrimitiveList/finalizers\":[\"a\"],",
                "/spec/template", "/-", "/0", "~1", "~0", "~2", "\"op\":\"copy\",\"from\":\"\",", "\"op\":\"move\",",
                "\"name\":\"a\"", "{",
                "}", "[", "]", ",", ":",
            ])
        var random = RandomObjects(schema: .kubernetes)
        let kinds = Schema.kubernetes.kinds
        let (_, taken) = try await target.run(rounds: 2000) { input, chance in
            let kind =
                Int.random(in: 0..<3, using: &chance) == 0 ? kinds.randomElement(using: &chance)! : Self.usual(&chance)
            random.mistakes = 0
            let object = random.object(of: kind, &chance)
            // The text of the corpus, or another object of the kind, with mistakes.
            var patch = try? JSONParser.parse(input)
            if patch == nil || Bool.random(using: &chance) {
                random.mistakes = 0.03
                patch = random.object(of: kind, &chance)
            }
            guard let patch else { return false }
            let results = [
                Self.jsonPatch(patch, object), try Self.merge(patch, object), Self.strategic(patch, object, kind),
                try Self.apply(patch, object, kind),
            ]
            for result in results.compactMap(\.self) { try Self.decode(result, kind) }
            return results.contains { $0 != nil }
        }
        #expect(taken > 0)
    }

    private static func usual(_ chance: inout SeededChance) -> Kind {
        let (version, name) = [
            ("v1", "Pod"), ("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "ConfigMap"), ("batch/v1", "CronJob"),
            ("v1", "Node"),
        ].randomElement(using: &chance)!
        return kind(version, name)
    }

    /// What a patch made decodes, or is refused, and what is decoded can be looked at by all that follows.
    private static func decode(_ json: JSONValue, _ kind: Kind) throws {
        do throws(DecodingFailure) {
            var object = try ObjectDecoder.decode(json, as: kind, of: .kubernetes, fieldValidation: .warn).json
            Defaulting.apply(to: &object, of: kind, in: .kubernetes)
            _ = try? Validation(kind, in: .kubernetes).checkNew(object)
        } catch {
            guard !error.description.isEmpty else { throw Wrong(description: "refused without a word") }
        }
    }

    private static func jsonPatch(_ patch: JSONValue, _ object: JSONValue) -> JSONValue? {
        guard let patch = try? JSONPatch(patch) else { return nil }
        return try? patch.applied(to: object)
    }

    /// A merge patch that is applied again changes nothing more (RFC 7386).
    private static func merge(_ patch: JSONValue, _ object: JSONValue) throws -> JSONValue? {
        let result = JSONMergePatch.apply(patch, to: object)
        guard JSONMergePatch.apply(patch, to: result) == result else {
            throw Wrong(description: "a merge patch does more when applied again")
        }
        return result
    }

    private static func strategic(_ patch: JSONValue, _ object: JSONValue, _ kind: Kind) -> JSONValue? {
        try? StrategicMergePatch.apply(patch, to: object, of: kind, in: .kubernetes)
    }

    /// Who applies a configuration again changes nothing, and owns what it names.
    private static func apply(_ patch: JSONValue, _ object: JSONValue, _ kind: Kind) throws -> JSONValue? {
        guard let config = try? ObjectDecoder.decode(patch, as: kind, of: .kubernetes, fieldValidation: .ignore).json
        else { return nil }
        let manager = FieldManager(kind, in: .kubernetes)
        guard
            let first = try? manager.apply(
                config, to: object, ManagedFields(), by: "a", subresource: "", force: true, at: nil)
        else {
            return nil
        }
        let second = try manager.apply(
            config, to: first.object, first.managed, by: "a", subresource: "", force: false, at: nil)
        guard
            second.managed.entries.mapValues(\.fields) == first.managed.entries.mapValues(\.fields)
                || first.managed.entries.isEmpty
        else {
            throw Wrong(description: "applied again, other fields are owned")
        }
        return second.object
    }
}
