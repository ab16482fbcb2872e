import JSON
import Testing

@testable import KubeSchema

@Suite struct OpenAPITests {
    func references(_ json: JSONValue) -> [String] {
        switch json {
        case .object(let members):
            (members["$ref"]?.string.map { [$0] } ?? []) + members.members.flatMap { references($0.value) }
        case .array(let elements): elements.flatMap(references)
        default: []
        }
    }

    @Test(arguments: [OpenAPIDefinitions.Version.v2, .v3])
    func `references lead to definitions`(_ version: OpenAPIDefinitions.Version) {
        let api = OpenAPIDefinitions(of: .kubernetes, version)
        let groups = Dictionary(grouping: Schema.kubernetes.kinds) { $0.id.apiVersion }
        for (group, kinds) in groups {
            let definitions = api.definitions(for: kinds)
            for reference in references(.object(definitions)) {
                #expect(reference.hasPrefix(version.place))
                #expect(
                    definitions.contains(String(reference.dropFirst(version.place.count))), "\(group): \(reference)")
            }
            for kind in kinds { #expect(definitions.contains(api.name(of: kind.type))) }
        }
    }

    @Test func `properties are the fields of the schema`() {
        let schema = Schema.kubernetes
        let api = OpenAPIDefinitions(of: schema, .v3)
        let definitions = api.definitions(for: schema.kinds)
        for kind in schema.kinds {
            let properties = definitions[api.name(of: kind.type)]?["properties"]?.object
            #expect(properties.map { Set($0.keys) } == Set(schema[kind.type].fields.map(\.name)), "\(kind.id)")
        }
    }

    @Test func `a property says its type, its list and how it is patched`() {
        let pod = kind("v1", "Pod")
        let v3 = OpenAPIDefinitions(of: .kubernetes, .v3).definitions(for: [pod])
        let container = v3["io.k8s.api.core.v1.Container"]
        #expect(container?["required"] == ["name"])
        let ports = container?["properties"]?["ports"]
        #expect(ports?["items"] == ["$ref": "#/components/schemas/io.k8s.api.core.v1.ContainerPort"])
        #expect(ports?["x-kubernetes-list-type"] == "map" && ports?["x-kubernetes-patch-strategy"] == "merge")
        #expect(ports?["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"])
        #expect(ports?["x-kubernetes-patch-merge-key"] == "containerPort")
        let volumes = v3["io.k8s.api.core.v1.PodSpec"]?["properties"]?["volumes"]
        #expect(volumes?["x-kubernetes-patch-strategy"] == "merge,retainKeys")
        let proto = v3["io.k8s.api.core.v1.ContainerPort"]?["properties"]?["protocol"]
        #expect(proto?["enum"] == ["SCTP", "TCP", "UDP"] && proto?["default"] == "TCP")
        #expect(
            v3["io.k8s.api.core.v1.Pod"]?["properties"]?["metadata"]?["allOf"]
                == [["$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]])
        #expect(
            v3["io.k8s.api.core.v1.Pod"]?["x-kubernetes-group-version-kind"]
                == [["group": "", "kind": "Pod", "version": "v1"]])
        #expect(v3["io.k8s.api.core.v1.PodList"]?["required"] == ["items"])
        #expect(v3["io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"]?["x-kubernetes-map-type"] == "atomic")
        let v2 = OpenAPIDefinitions(of: .kubernetes, .v2).definitions(for: [pod])
        #expect(
            v2["io.k8s.api.core.v1.Pod"]?["properties"]?["spec"]?["$ref"] == "#/definitions/io.k8s.api.core.v1.PodSpec")
        #expect(v2["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]?["format"] == "int-or-string")
    }
}
