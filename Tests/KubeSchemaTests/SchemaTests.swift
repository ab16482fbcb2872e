import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct SchemaTests {
    let schema = Schema.kubernetes

    @Test func `the schema of kubernetes is whole`() throws {
        _ = try Schema(linking: SchemaText(KubernetesKinds.texts))
        #expect(schema.kinds.count > 45)
        for type in schema.types {
            #expect(!type.documentation.isEmpty, "\(type.name)")
            for field in type.fields {
                #expect(!field.documentation.isEmpty, "\(type.name).\(field.name)")
                if case .object(let id) = field.type.innermost { #expect(schema.types.indices.contains(id.index)) }
            }
        }
    }

    @Test func `keys of lists are fields of their elements`() {
        for type in schema.types {
            for field in type.fields {
                var keys: [String] = []
                if case .map(let named) = field.listType { keys += named }
                if let key = field.patch.mergeKey { keys.append(key) }
                guard !keys.isEmpty, case .list(.object(let element)) = field.type else {
                    #expect(keys.isEmpty, "\(type.name).\(field.name) has keys and is no list of objects")
                    continue
                }
                for key in keys { #expect(schema[element].field(key) != nil, "\(type.name).\(field.name): \(key)") }
            }
        }
    }

    @Test func `every kind has metadata, and kinds are found by both of their names`() throws {
        for kind in schema.kinds {
            #expect(
                schema[kind.type].field("metadata")?.type
                    == .object(try #require(schema.type(named: "meta/v1.ObjectMeta"))))
            #expect(schema.kind(kind.id)?.plural == kind.plural)
            #expect(schema.kind(group: kind.id.group, version: kind.id.version, plural: kind.plural) == kind)
        }
        let deployment = try #require(schema.kind(group: "apps", version: "v1", plural: "deployments"))
        #expect(deployment.id.apiVersion == "apps/v1")
        #expect(
            deployment.shortNames == ["deploy"] && deployment.categories == ["all"]
                && deployment.has(subresource: "scale"))
        #expect(deployment.isNamespaced && deployment.columns.map(\.name).first == "Name")
        #expect(schema.kind(GroupVersionKind(group: "", version: "v1", kind: "Node"))?.isNamespaced == false)
    }

    @Test func `fields have the numbers, lists and merge keys of kubernetes`() throws {
        let deployment = try #require(schema.kind(GroupVersionKind(group: "apps", version: "v1", kind: "Deployment")))
        func field(_ path: String) throws -> Field {
            try #require(schema.field(path.split(separator: ".").map(String.init), in: deployment.type), "\(path)")
        }
        let containers = try field("spec.template.spec.containers")
        #expect(containers.number == 2 && containers.isRequired && containers.patch.mergeKey == "name")
        #expect(containers.listType == .map(keys: ["name"]))
        let ports = try field("spec.template.spec.containers.ports")
        #expect(ports.listType == .map(keys: ["containerPort", "protocol"]) && ports.patch.mergeKey == "containerPort")
        #expect(try field("spec.template.spec.containers.ports.protocol").allowed == ["TCP", "UDP", "SCTP"])
        #expect(try field("spec.template.spec.containers.command").listType == .atomic)
        #expect(try field("spec.template.spec.tolerations").isAtomic)
        #expect(try field("spec.template.spec.volumes.emptyDir.sizeLimit").type == .quantity)
        #expect(try field("metadata.finalizers").listType == .set)
        #expect(try field("spec.selector").isAtomic)
        #expect(try field("spec.strategy").patch.retainsKeys)
        let volume = schema[try #require(schema.type(named: "core/v1.Volume"))]
        #expect(volume.parts.count == 2 && volume.fields.count > 25, "the sources stand beside the name in JSON")
    }

    @Test(arguments: [
        ("kind Pod pods", "begin with"), ("package a\ntype", "have a name"),
        ("package a\n    a 1 string", "have a type before"),
        ("package a\ntype T\n    a x string", "have a number"),
        ("package a\ntype T\n    a 1 Unknown", "use a type that exists"),
        ("package a\ntype T\n    a 1 string\n    a 2 string", "use no name and no number twice"),
        ("package a\ntype T\n    a 1 string\n    b 1 string", "use no name and no number twice"),
        ("package a\ntype T\n    a 1 inline T", "inline no type into itself"),
        ("package a\ntype T\ntype T", "define no type twice"),
        ("package a\ntype T\n    a 1 string odd", "no attribute odd"),
        ("package a\nkind T ts", "name a type"), ("package a\nwhat", "begin with package, kind"),
        ("package a\nenum X", "name the enum"), ("package a\ntype T\nkind T ts x=1", "have no x=1"),
    ])
    func `a text that is wrong names its line`(_ text: String, _ problem: String) {
        let error = #expect(throws: SchemaTextError.self) { try Schema(linking: SchemaText([("test", text)])) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test func `no text traps the parser of schemas`() {
        var chance = SeededChance(seed: 11)
        let words = [
            "package", "type", "kind", "enum", "column", "a", "1", "-", "[", "]", "{T}", "[T]", "--", "!", "\n",
            "\n    ", "T", "inline",
        ]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0..<30, using: &chance)).map { _ in words.randomElement(using: &chance)! }
            _ = try? Schema(linking: SchemaText([("test", text.joined(separator: " "))]))
        }
    }
}
