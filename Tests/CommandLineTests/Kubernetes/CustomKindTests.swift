import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// Custom kinds with the real kubectl: like all others.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(5))) struct CustomKindTests {
    private static let definition = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.com}
        spec:
          group: example.com
          scope: Namespaced
          names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
          versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                properties: {spec: {type: object, properties: {size: {type: integer}}}}
        """

    private static func widget(_ name: String, in namespace: String) -> String {
        """
        apiVersion: example.com/v1
        kind: Widget
        metadata: {name: \(name), namespace: \(namespace)}
        spec: {size: 1}
        """
    }

    @Test func `custom objects are counted, own, and go with their owner, their namespace and their definition`()
        async throws
    {
        try await KubeStage.run { kubectl in
            try await kubectl.apply(Self.definition)
            try await kubectl("wait", "--for=condition=established", "crd/widgets.example.com", "--timeout=20s")
            try await kubectl("create", "namespace", "team")
            try await kubectl("create", "quota", "one", "-n", "team", "--hard=count/widgets.example.com=1")
            try await kubectl(
                "wait", "quota/one", "-n", "team", "--timeout=20s",
                "--for=jsonpath={.status.used.count/widgets\\.example\\.com}=0")
            try await kubectl.apply(Self.widget("first", in: "team"))
            let refused = try await kubectl.kubectl(["apply", "-f", "-"], input: Self.widget("second", in: "team"))
            #expect(
                refused.errorText.contains(
                    "exceeded quota: one, requested: count/widgets.example.com=1, used: count/widgets.example.com=1, limited: "
                        + "count/widgets.example.com=1"), "\(refused.errorText)")
            let uid = try await kubectl.get("widget", "first", "-n", "team")["metadata", "uid"]?.string ?? ""
            try await kubectl.apply(
                """
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: owned
                  namespace: team
                  ownerReferences: [{apiVersion: example.com/v1, kind: Widget, name: first, uid: \(uid)}]
                """)
            try await kubectl("delete", "wd", "first", "-n", "team")
            try await kubectl("wait", "--for=delete", "configmap/owned", "-n", "team", "--timeout=20s")
            try await kubectl(
                "wait", "quota/one", "-n", "team", "--timeout=20s",
                "--for=jsonpath={.status.used.count/widgets\\.example\\.com}=0")
            try await kubectl.apply(Self.widget("third", in: "team"))
            try await kubectl("delete", "namespace", "team", "--timeout=30s")
            #expect(try await kubectl("get", "widgets", "-A", "-o", "name").text.isEmpty)
            try await kubectl.apply(Self.widget("fourth", in: "default"))
            try await kubectl("delete", "crd", "widgets.example.com", "--timeout=30s")
            let gone = try await kubectl.kubectl("get", "widgets")
            // kubectl says it in two ways: by its own cache of what is served, or by the server's answer.
            #expect(!gone.status.isSuccess && gone.errorText.contains("widgets"), "\(gone.errorText)\(gone.text)")
        }
    }
}
