import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct ManagedFieldsTests: WebDeployment {
    @Test func `updates own what they change, and lose what others remove`() throws {
        var story = deployment()
        try story.update("a") { $0 = self.web }
        #expect(story.owned(by: "a").contains(".spec.replicas") && story.owned(by: "a").contains(".metadata.labels"))
        try story.update("b") {
            $0["metadata", "labels", "x"] = "y"
            $0["spec", "replicas"] = nil
        }
        #expect(story.owned(by: "b") == [".metadata.labels.x"] && !story.owned(by: "a").contains(".spec.replicas"))
        let before = story.managed
        try story.update("a") { _ in }
        #expect(story.managed == before, "an update that changes nothing leaves the times")
    }

    @Test func `a status is owned through its own door`() throws {
        let object: JSONValue = ["spec": ["replicas": 1], "status": ["replicas": 1]]
        let main = FieldManager(kind("apps/v1", "Deployment"), in: .kubernetes, ignoring: [["status"]])
        #expect(
            try main.updated(from: [:], to: object, ManagedFields(), by: "m", at: nil).entries.values.first?.fields
                .paths == [".spec.replicas"])
        let door = FieldManager(kind("apps/v1", "Deployment"), in: .kubernetes, ignoring: [["spec"]])
        let managed = try door.updated(from: [:], to: object, ManagedFields(), by: "m", subresource: "status", at: nil)
        #expect(
            managed.entries.values.first?.fields.paths == [".status.replicas"]
                && managed.json[0]?["subresource"] == "status")
    }

    @Test func `managed fields read back in their order`() throws {
        var story = deployment()
        for round in 0..<14 { try story.update("m\(round)") { $0["metadata", "labels", "l\(round)"] = "x" } }
        try story.apply("z", ["spec": ["replicas": 1]])
        #expect(story.managed.entries.keys.filter { $0.operation == .update }.count == ManagedFields.updateLimit)
        #expect(
            story.owned(by: "ancient-changes").contains(".metadata.labels.l0")
                && story.owned(by: "ancient-changes").contains(".metadata.labels.l4"))
        #expect(story.managed.json[0]?["operation"] == "Apply")
        #expect(try ManagedFields(story.managed.json) == story.managed)
        for wrong: JSONValue in [[["operation": "Patch"]], [["operation": "Apply", "fieldsType": "V2"]]] {
            #expect(throws: FieldsV1Error.self) { try ManagedFields(wrong) }
        }
    }

    private func withoutEmpties(_ json: JSONValue) -> JSONValue? {
        switch json {
        case .array(let elements):
            let kept = elements.compactMap(withoutEmpties)
            return kept.isEmpty ? nil : .array(kept)
        case .object(let members):
            var kept = JSONObject()
            for member in members.members { kept[member.key] = withoutEmpties(member.value) }
            return kept.isEmpty ? nil : .object(kept)
        default: return json
        }
    }

    @Test func `whatever decodes can be applied`() throws {
        var chance = SeededChance(seed: 91)
        let random = RandomObjects(schema: .kubernetes)
        var (applied, taken) = (0, 0)
        for round in 0..<500 {
            let kind = Schema.kubernetes.kinds[round % Schema.kubernetes.kinds.count]
            var story = Story(kind: kind)
            var copy = random
            let configs = (0..<3).map { _ in copy.object(of: kind, &chance) }
            for (index, config) in configs.enumerated() {
                let name = index == 1 ? "b" : "a"
                let live = story.object
                do throws(ApplyFailure) {
                    try story.apply(name, config)
                } catch {
                    #expect(story.object == live && !error.description.isEmpty)
                    try? story.apply(name, config, force: true)
                    taken += 1
                    continue
                }
                // Empty lists are owned by nobody: then the live object counts as never applied.
                guard !story.managed.entries.isEmpty else { continue }
                applied += 1
                let managed = story.managed
                let object = story.object
                try story.apply(name, config)
                // An empty list went with its last element, and comes back empty: nobody owns it.
                #expect(
                    withoutEmpties(story.object) == withoutEmpties(object)
                        && story.managed.entries.mapValues(\.fields) == managed.entries.mapValues(\.fields),
                    "applied again: \(kind.id) \(chance) round \(round)")
                // Everything that was applied is there, with its value.
                let set = try FieldSet(of: config, kind.type, in: .kubernetes)
                #expect(
                    set.subtracting(try FieldSet(of: object, kind.type, in: .kubernetes).withNamedParents()).paths
                        .filter { !$0.isEmpty } == [], "\(kind.id) \(chance) round \(round)")
            }
        }
        #expect(applied > 300, "\(applied) applied, \(taken) forced")
    }

    @Test func `applying again changes nothing`() throws {
        var story = deployment()
        try story.apply("kubectl", web)
        let (object, managed) = (story.object, story.managed)
        try story.apply("kubectl", web)
        #expect(story.object == object && story.managed == managed)
        #expect(
            story.failure("kubectl", ["metadata": ["managedFields": []]])?.description
                == "metadata.managedFields must be nil")
    }

    @Test func `what was there before the first apply belongs to nobody who applies`() throws {
        var story = deployment()
        story.object = web
        let failure = story.failure("kubectl", web { $0["spec", "replicas"] = 1 })
        #expect(
            failure?.description.hasPrefix(
                #"Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1 at"#) == true)
        try story.apply("kubectl", web { $0["spec", "replicas"] = 1 }, force: true)
        #expect(
            story.object["spec"]?["replicas"] == 1
                && story.owned(by: "before-first-apply").contains(".metadata.labels.app"))
    }
}
