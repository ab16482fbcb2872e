import JSON
import KubeObjects
import KubeSchema
import TestKit
import Testing

@testable import KubeViews

/// What clients read before anything else.
@Suite(.timeLimit(.minutes(2))) struct KindDocumentsTests {
    private let version = ServerVersion(program: "1.4.0", commit: "abc", buildDate: "2026-01-01T00:00:00Z")
    private static let json = "application/json"
    private static let aggregated =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

    private func request(_ path: String, accept: String? = nil, tag: String? = nil, method: String = "GET")
        -> APIRequest
    {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        var headers: [String: String] = ["host": "192.0.2.1:6443"]
        headers["accept"] = accept
        headers["if-none-match"] = tag
        var query: [(name: String, value: String)] = []
        for pair in parts.count == 2 ? parts[1].split(separator: "&") : [] {
            let words = pair.split(separator: "=", maxSplits: 1).map(String.init)
            query.append((words[0], words[1]))
        }
        return APIRequest(
            method: method, path: parts[0].split(separator: "/").map(String.init), query: query, headers: headers,
            user: .anonymous)
    }

    private func get(
        _ path: String, _ documents: KindDocuments? = nil, accept: String? = nil
    ) throws -> JSONValue {
        let documents = documents ?? KindDocuments(ServedKinds(), version)
        let response = try #require(documents.answer(request(path, accept: accept)))
        #expect(response.status == 200, "\(path)")
        return try JSONParser.parse(response.body)
    }

    private func header(_ response: APIResponse, _ name: String) -> String? {
        response.headers.first { $0.name == name }?.value
    }

    // MARK: Discovery

    @Test func `the roots name the groups in kubernetes' order`() throws {
        #expect(
            try get("/api") == [
                "kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": "192.0.2.1:6443"]],
            ])
        let groups = try #require(try get("/apis")["groups"]?.array)
        #expect(
            groups[0] == [
                "name": "apps", "versions": [["groupVersion": "apps/v1", "version": "v1"]],
                "preferredVersion": ["groupVersion": "apps/v1", "version": "v1"],
            ])
        #expect(groups.last?["name"] == "metrics.k8s.io")
        #expect(
            try get("/apis/apps") == [
                "kind": "APIGroup", "apiVersion": "v1", "name": "apps",
                "versions": [["groupVersion": "apps/v1", "version": "v1"]],
                "preferredVersion": ["groupVersion": "apps/v1", "version": "v1"],
            ])
    }

    @Test func `resources are described as kube-apiserver does`() throws {
        let core = try get("/api/v1")
        #expect(core["kind"] == "APIResourceList" && core["groupVersion"] == "v1" && core["apiVersion"] == nil)
        func resource(_ list: JSONValue, _ name: String) -> JSONValue? {
            list["resources"]?.array?.first { $0["name"]?.string == name }
        }
        #expect(
            resource(core, "pods") == [
                "name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod",
                "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
                "shortNames": ["po"], "categories": ["all"], "storageVersionHash": "xPOwRZ+Yhw8=",
            ])
        #expect(
            resource(core, "pods/eviction") == [
                "name": "pods/eviction", "singularName": "", "namespaced": true, "group": "policy", "version": "v1",
                "kind": "Eviction", "verbs": ["create"],
            ])
        #expect(resource(core, "serviceaccounts/token")?["kind"] == "TokenRequest")
        #expect(resource(core, "namespaces")?["verbs"]?.array?.contains("deletecollection") == false)
        #expect(resource(core, "pods/exec")?["kind"] == "PodExecOptions")
        #expect(resource(core, "bindings")?["verbs"] == ["create"])
        let apps = try get("/apis/apps/v1")
        #expect(apps["groupVersion"] == "apps/v1" && apps["apiVersion"] == "v1")
        #expect(
            resource(apps, "deployments/scale") == [
                "name": "deployments/scale", "singularName": "", "namespaced": true, "group": "autoscaling",
                "version": "v1", "kind": "Scale", "verbs": ["get", "patch", "update"],
            ])
        #expect(resource(apps, "deployments")?["storageVersionHash"] == "8aSe+NMegvE=")
        #expect(resource(try get("/apis/policy/v1"), "evictions") == nil)
        #expect(resource(try get("/apis/metrics.k8s.io/v1beta1"), "nodes")?["verbs"] == ["get", "list"])
        for missing in ["/apis/autoscaling/v3", "/apis/nothing", "/apis/apps/v2", "/api/v2"] {
            let response = try #require(KindDocuments(ServedKinds(), version).answer(request(missing)))
            #expect(response.status == 404, "\(missing)")
        }
    }

    @Test func `everything at once for clients that take it`() throws {
        let documents = KindDocuments(Definitions.served(), version)
        for (path, count) in [("/api", 1), ("/apis", 17)] {
            let response = try #require(documents.answer(request(path, accept: Self.aggregated)))
            #expect(
                header(response, "Content-Type")
                    == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
            let list = try JSONParser.parse(response.body)
            #expect(list["kind"] == "APIGroupDiscoveryList" && list["apiVersion"] == "apidiscovery.k8s.io/v2")
            #expect(list["items"]?.array?.count ?? 0 >= count, "\(path)")
        }
        let list = try get("/apis", documents, accept: Self.aggregated)
        let custom = try #require(
            list["items"]?.array?.first { $0["metadata", "name"]?.string == "stable.example.com" })
        #expect(custom["versions"]?.array?.map { $0["version"] } == ["v1", "v1beta1"])
        #expect(
            custom["versions"]?[0]?["resources"]?[0] == [
                "resource": "crontabs",
                "responseKind": ["group": "stable.example.com", "version": "v1", "kind": "CronTab"],
                "scope": "Namespaced",
                "singularResource": "crontab",
                "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
                "shortNames": ["ct"], "categories": ["all"],
                "subresources": [
                    [
                        "subresource": "scale",
                        "responseKind": ["group": "autoscaling", "version": "v1", "kind": "Scale"],
                        "verbs": ["get", "patch", "update"],
                    ],
                    [
                        "subresource": "status",
                        "responseKind": ["group": "stable.example.com", "version": "v1", "kind": "CronTab"],
                        "verbs": ["get", "patch", "update"],
                    ],
                ],
            ])
        #expect(
            try get(
                "/apis", documents, accept: "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList")[
                    "apiVersion"] == "apidiscovery.k8s.io/v2beta1")
        #expect(try get("/apis", documents, accept: "application/json, */*")["kind"] == "APIGroupList")
    }

    @Test func `versions are put in order`() {
        let names = ["v1", "v2", "v10", "v1beta1", "v2beta1", "v1alpha1", "foo", "v11beta2", "bar", "v0"]
        #expect(
            names.sorted(by: APIVersionOrder.precedes) == [
                "v10", "v2", "v1", "v11beta2", "v2beta1", "v1beta1", "v1alpha1", "bar", "foo", "v0",
            ])
    }

    @Test func `documents are the same until something changes`() throws {
        let kinds = ServedKinds()
        let documents = KindDocuments(kinds, version)
        for path in ["/api/v1", "/apis", "/openapi/v3", "/openapi/v2", "/version", "/apis/apps"] {
            let first = try #require(documents.answer(request(path)))
            let again = try #require(KindDocuments(ServedKinds(), version).answer(request(path)))
            #expect(first.body == again.body && header(first, "ETag") == header(again, "ETag"), "\(path)")
            let known = try #require(documents.answer(request(path, tag: header(first, "ETag"))))
            #expect(known.status == 304 && known.body.isEmpty, "\(path)")
            let head = try #require(documents.answer(request(path, method: "HEAD")))
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(documents.answer(request(path, method: "POST"))?.status == 405)
        }
        #expect(documents.answer(request("/api/v1/pods")) == nil && documents.answer(request("/healthz")) == nil)
    }

    @Test func `documents follow the kinds`() throws {
        let kinds = ServedKinds()
        let documents = KindDocuments(kinds, version)
        let before = try #require(documents.answer(request("/apis")))
        let generation = kinds.generation
        kinds.replace(with: [Definitions.reviewed(Definitions.cronTab)])
        #expect(kinds.generation == generation + 1)
        let after = try #require(documents.answer(request("/apis", tag: header(before, "ETag"))))
        #expect(after.status == 200 && after.body != before.body)
        #expect(try get("/apis/stable.example.com/v1", documents)["resources"]?.array?.count == 3)
        kinds.replace(with: [])
        #expect(documents.answer(request("/apis/stable.example.com/v1"))?.status == 404)
        #expect(documents.answer(request("/apis"))?.body == before.body)
    }

    @Test func `the generation counts changes`() {
        let kinds = ServedKinds()
        var definition = Definitions.reviewed(Definitions.cronTab)
        kinds.replace(with: [definition])
        let generation = kinds.generation
        definition["metadata", "resourceVersion"] = "9"
        definition["status", "storedVersions"] = ["v1", "v0"]
        kinds.replace(with: [definition])
        #expect(kinds.generation == generation)
        kinds.replace(with: [Definitions.cronTab])
        #expect(kinds.generation == generation + 1 && kinds.kinds.allSatisfy { $0.custom == nil })
    }

    @Test func `no definition hides a built-in kind`() throws {
        var definition = Definitions.cronTab
        definition["spec", "group"] = "apps"
        definition["spec", "names"] = ["plural": "deployments", "kind": "Deployment"]
        definition = Definitions.reviewed(definition, others: [])
        definition["status", "acceptedNames"] = definition["spec", "names"]
        definition["status", "conditions"] = [["type": "Established", "status": "True"]]
        let kinds = ServedKinds()
        kinds.replace(with: [definition])
        let deployment = try #require(kinds.kind(group: "apps", version: "v1", plural: "deployments"))
        #expect(deployment.custom == nil && kinds.kind(group: "apps", version: "v1beta1", plural: "deployments") != nil)
    }

    @Test func `the version says which kubernetes it is`() throws {
        let document = try get("/version")
        #expect(
            document["major"] == "1" && document["minor"] == "37" && document["gitVersion"] == "v1.37.0+forkless-1.4.0")
        #expect(ServerVersion(program: "1 ü").gitVersion == "v1.37.0+forkless-1--")
    }

    // MARK: OpenAPI

    @Test func `the index leads to documents that can be kept`() throws {
        let documents = KindDocuments(Definitions.served(), version)
        let paths = try #require(try get("/openapi/v3", documents)["paths"]?.object)
        #expect(
            paths.contains("api/v1") && paths.contains("apis/apps/v1") && paths.contains("apis/stable.example.com/v1"))
        for member in paths.members {
            let url = try #require(member.value["serverRelativeURL"]?.string)
            let response = try #require(documents.answer(request(url)))
            #expect(
                response.status == 200 && header(response, "Cache-Control")?.contains("immutable") == true, "\(url)")
            let place = "/openapi/v3/\(member.key)"
            let old = try #require(documents.answer(request(place + "?hash=OLD")))
            #expect(old.status == 301 && header(old, "Location") == url)
            let plain = try #require(documents.answer(request(place)))
            #expect(plain.body == response.body && header(plain, "Cache-Control") == "no-cache")
            #expect(
                documents.answer(request(place, accept: "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"))?
                    .status == 406)
        }
        #expect(documents.answer(request("/openapi/v3/apis/nothing/v1"))?.status == 404)
    }

    /// All references in a document.
    private func references(_ json: JSONValue, _ found: inout Set<String>) {
        switch json {
        case .array(let elements): for element in elements { references(element, &found) }
        case .object(let members):
            if let reference = members["$ref"]?.string { found.insert(reference) }
            for member in members.members { references(member.value, &found) }
        default: break
        }
    }

    @Test func `references lead to definitions in every document`() throws {
        let documents = KindDocuments(Definitions.served(), version)
        for place in try #require(try get("/openapi/v3", documents)["paths"]?.object).keys {
            let document = try get("/openapi/v3/\(place)", documents)
            let schemas = try #require(document["components", "schemas"]?.object)
            var found: Set<String> = []
            references(document, &found)
            for reference in found {
                let name = reference.split(separator: "/").last.map(String.init) ?? ""
                #expect(schemas.contains(name), "\(place): \(reference)")
            }
        }
        let swagger = try get("/openapi/v2", documents)
        var found: Set<String> = []
        references(swagger, &found)
        for reference in found {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            #expect(swagger["definitions"]?.object?.contains(name) == true, "\(reference)")
        }
    }

    @Test func `kubectl finds that objects are validated here`() throws {
        let documents = KindDocuments(Definitions.served(), version)
        for (place, path, kind) in [
            ("apis/apps/v1", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "Deployment"),
            ("api/v1", "/api/v1/namespaces/{name}", "Namespace"),
            (
                "apis/stable.example.com/v1", "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}",
                "CronTab"
            ),
        ] {
            let patch = try #require(try get("/openapi/v3/\(place)", documents)["paths", path, "patch"], "\(path)")
            #expect(patch["x-kubernetes-group-version-kind", "kind"]?.string == kind)
            #expect(patch["x-kubernetes-action"] == "patch")
            let names = patch["parameters"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(names.contains("fieldValidation") && names.contains("dryRun"))
            let types = patch["requestBody", "content"]?.object?.keys ?? []
            #expect(types.contains("application/strategic-merge-patch+json") == (kind != "CronTab"))
        }
        let custom = try get("/openapi/v3/apis/stable.example.com/v1", documents)
        let schema = try #require(custom["components", "schemas", "com.example.stable.v1.CronTab"])
        #expect(schema["properties", "spec", "properties", "cronSpec", "description"] == "When.")
        #expect(schema["properties", "metadata", "allOf"] != nil && schema["required"] == ["spec"])
        #expect(
            schema["x-kubernetes-group-version-kind"]
                == [["group": "stable.example.com", "kind": "CronTab", "version": "v1"]])
    }

    @Test func `the protobuf form has all that the JSON has`() throws {
        let documents = KindDocuments(Definitions.served(), version)
        let response = try #require(
            documents.answer(
                request("/openapi/v2", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")))
        #expect(header(response, "Content-Type") == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
        let swagger = try get("/openapi/v2", documents)
        let message = try ProtobufFields(response.body)
        #expect(message.text(1) == "2.0")
        let definitions = try ProtobufFields(try #require(message.first(9))).all(1)
        #expect(definitions.count == swagger["definitions"]?.object?.count)
        let paths = try ProtobufFields(try #require(message.first(8))).all(2)
        #expect(paths.count == swagger["paths"]?.object?.count)
        var texts: Set<String> = []
        try collect(response.body, 0, &texts)
        // Names, descriptions and references all stand in the message.
        var missing: [String] = []
        func check(_ json: JSONValue) {
            switch json {
            case .string(let text): if !text.isEmpty, !texts.contains(text), !isYAML(text) { missing.append(text) }
            case .array(let elements): for element in elements { check(element) }
            case .object(let members):
                for member in members.members
                where !member.key.hasPrefix("x-") && member.key != "default" && member.key != "enum" {
                    check(member.value)
                }
            default: break
            }
        }
        func isYAML(_ text: String) -> Bool { texts.contains("\"\(text)\"\n") }
        check(swagger["definitions"]!)
        check(swagger["paths"]!)
        #expect(missing.isEmpty, "\(missing.prefix(5))")
    }

    /// All texts in a message, whatever they are.
    private func collect(_ bytes: [UInt8], _ depth: Int, _ texts: inout Set<String>) throws {
        guard depth < 24, let message = try? ProtobufFields(bytes) else { return }
        for field in message.fields {
            if let text = String(validating: field.content, as: UTF8.self) { texts.insert(text) }
            try collect(field.content, depth + 1, &texts)
        }
    }

    @Test func `the storage hash is that of kubernetes`() {
        #expect(
            DiscoveryDocuments.storageHash(GroupVersionKind(group: "", version: "v1", kind: "Node")) == "XwShjMxG9Fs=")
    }
}

/// The length-delimited fields of a message.
private struct ProtobufFields {
    struct Field {
        var number: Int
        var content: [UInt8]
    }
    struct Malformed: Error {}

    var fields: [Field] = []

    init(_ bytes: [UInt8]) throws {
        var at = 0
        func varint() throws -> UInt64 {
            var (value, shift) = (UInt64(0), UInt64(0))
            while at < bytes.count, shift < 64 {
                let byte = bytes[at]
                at += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            throw Malformed()
        }
        while at < bytes.count {
            let tag = try varint()
            guard tag >> 3 > 0, tag >> 3 < 100 else { throw Malformed() }
            switch tag & 7 {
            case 0: _ = try varint()
            case 1: at += 8
            case 2:
                let count = try varint()
                guard count <= UInt64(bytes.count - at) else { throw Malformed() }
                fields.append(Field(number: Int(tag >> 3), content: Array(bytes[at..<at + Int(count)])))
                at += Int(count)
            default: throw Malformed()
            }
            guard at <= bytes.count else { throw Malformed() }
        }
    }

    func all(_ number: Int) -> [[UInt8]] { fields.filter { $0.number == number }.map(\.content) }
    func first(_ number: Int) -> [UInt8]? { all(number).first }
    func text(_ number: Int) -> String? { first(number).map { String(decoding: $0, as: UTF8.self) } }
}
