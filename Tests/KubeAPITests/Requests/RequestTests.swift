import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(3)))
struct RequestTests {
    private func info(_ method: String, _ path: String, _ query: [(name: String, value: String)] = []) -> RequestInfo {
        RequestInfo(method: method, path: path.split(separator: "/").map(String.init), query: query)
    }

    @Test func `paths are read as Kubernetes reads them`() {
        let pods = info("GET", "/api/v1/namespaces/default/pods")
        #expect(pods.verb == "list")
        #expect(pods.target?.namespace == "default" && pods.target?.plural == "pods")
        #expect(info("GET", "/api/v1/pods", [(name: "watch", value: "1")]).verb == "watch")
        #expect(info("DELETE", "/apis/apps/v1/namespaces/x/deployments").verb == "deletecollection")
        let status = info("PUT", "/apis/apps/v1/namespaces/x/deployments/web/status")
        #expect(status.verb == "update" && status.target?.subresource == "status" && status.target?.group == "apps")
        let namespace = info("GET", "/api/v1/namespaces/x")
        #expect(namespace.target?.plural == "namespaces" && namespace.target?.name == "x")
        let finalize = info("PUT", "/api/v1/namespaces/x/finalize")
        #expect(finalize.target?.plural == "namespaces" && finalize.target?.subresource == "finalize")
        #expect(info("GET", "/api/v1").target == nil)
        #expect(info("GET", "/apis/apps/v1").target == nil)
        #expect(info("GET", "/healthz").verb == "get")
        let old = info("GET", "/api/v1/watch/namespaces/x/pods/p")
        #expect(old.verb == "watch" && old.target?.name == "p" && old.target?.plural == "pods")
    }

    @Test func `YAML is read as the server reads it`() throws {
        func read(_ text: String) throws -> JSONValue { try YAMLBody.read(Array(text.utf8)) }
        #expect(
            try read("a: 1\nb: \"1\"\nc: [x, ~, true]\nd: 1.5\n") == [
                "a": 1, "b": "1", "c": ["x", .null, true], "d": 1.5,
            ])
        #expect(try read("mode: 0644\nhex: 0x10\nname: 1.2.3\n") == ["mode": 420, "hex": 16, "name": "1.2.3"])
        #expect(try read("x: &a {k: v}\ny: *a\n") == ["x": ["k": "v"], "y": ["k": "v"]])
        #expect(throws: YAMLBody.Failure.self) { try read("a: 1\na: 2\n") }
        #expect(throws: YAMLBody.Failure.self) { try read("a: [") }
    }

    @Test func `aliases that multiply are refused`() {
        var text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1..<12 {
            let inner = (0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ",")
            text += "a\(level): &a\(level) [\(inner)]\n"
        }
        #expect(throws: YAMLBody.Failure.self) { try YAMLBody.read(Array(text.utf8)) }
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: YAMLBody.Failure.self) { try YAMLBody.read(Array(deep.utf8)) }
        let dashes = String(repeating: "- ", count: 100_000)
        #expect(throws: YAMLBody.Failure.self) { try YAMLBody.read(Array(dashes.utf8)) }
    }

    @Test func `no YAML makes the reader trap`() {
        var chance = SeededChance(seed: 3)
        let parts = [
            "a", ":", " ", "\n", "- ", "[", "]", "{", "}", "&x", "*x", "\"", "'", "|", ">", "#", "!", "%", "<<", "?",
            "1", "~", "\t", ",",
        ]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...24, using: &chance)).map { _ in parts.randomElement(using: &chance)! }
                .joined()
            _ = try? YAMLBody.read(Array(text.utf8))
        }
    }

    @Test func `too large a body is refused`() async throws {
        let door = try await Door()
        let body = [UInt8](repeating: 0x20, count: (3 << 20) + 1)
        guard case .whole(let answer) = await door.raw("POST", maps, body) else {
            return #expect(Bool(false), "an answer")
        }
        #expect(answer.status == 413)
        await door.close()
    }

    @Test func `an object of a hundred thousand labels is made, changed and shown`() async throws {
        // What takes quadratic time here would take an hour, with a thread that all others need.
        let door = try await Door()
        var labels = JSONObject()
        for number in 0..<100_000 { labels["l\(number)"] = "x" }
        let made = await door.send("POST", maps, Door.configMap("many", labels: .object(labels)))
        #expect(made.status == 201, "\(made.message)")
        let patch = #"{"metadata":{"labels":{"l0":null}},"data":{"b":"2"}}"#
        let changed = await door.send("PATCH", maps + "/many", patch, type: "application/merge-patch+json")
        #expect(changed.status == 200, "\(changed.message)")
        #expect(changed.json["metadata", "labels"]?.object?.count == 99_999)
        #expect(await door.send("GET", maps + "?labelSelector=l1=x,!l0").json["items"]?.array?.count == 1)
        await door.close()
    }

    @Test func `no request makes the server trap`() async throws {
        let door = try await Door()
        _ = await door.send("POST", deployments, Door.deployment("web"))
        _ = await door.send("POST", pods, Door.pod("p"))
        var chance = SeededChance(seed: 20_261_129)
        for _ in 0..<1500 {
            let (method, path, body, type) = Fuzz.request(&chance)
            switch await door.raw(method, path, body, type: type) {
            case .whole(let answer):
                #expect((200...599).contains(answer.status), "\(method) \(path) \(chance)")
                if answer.status >= 400, answer.headers.contains(where: { $0.value == "application/json" }) {
                    let json = try? JSONParser.parse(answer.body)
                    #expect(
                        json?["kind"] == "Status" && json?["code"]?.integer == Int64(answer.status),
                        "\(method) \(path) \(chance)")
                    #expect(json?["message"]?.string?.isEmpty == false, "\(method) \(path)")
                }
            case .parts(_, let parts): parts.cancel()
            case .pod, .proxy: break
            }
        }
        await door.close()
    }
}

/// Requests that look right and are not.
enum Fuzz {
    private static let segments = [
        "api", "apis", "v1", "apps", "namespaces", "default", "pods", "deployments", "web", "p", "status", "scale",
        "log",
        "exec", "binding", "eviction", "configmaps", "watch", "batch", "jobs", "nodes", "services", "proxy", "token",
        "",
        "kube-system", "serviceaccounts", "finalize", "..", "%", "authorization.k8s.io", "selfsubjectaccessreviews",
    ]
    private static let known = [
        "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/pods/p", "/api/v1/pods",
        "/apis/apps/v1/namespaces/default/deployments/web", "/apis/apps/v1/namespaces/default/deployments/web/scale",
        "/apis/apps/v1/namespaces/default/deployments", "/api/v1/namespaces/default/pods/p/exec",
        "/api/v1/namespaces/default/services", "/api/v1/namespaces", "/api/v1/namespaces/default/pods/p/status",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/api/v1/namespaces/default/pods/p/binding",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles", "/api/v1/namespaces/default/resourcequotas",
    ]
    private static let names = [
        "limit", "continue", "watch", "resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector",
        "timeoutSeconds", "dryRun", "fieldManager", "fieldValidation", "force", "gracePeriodSeconds",
        "propagationPolicy",
        "sendInitialEvents", "allowWatchBookmarks", "container", "tailLines", "ports", "command", "pretty",
    ]
    private static let values = [
        "", "1", "0", "-1", "true", "false", "x", "All", "99999999999999999999", "a%3Db", "Exact", "NotOlderThan",
        "Strict",
        "9223372036854775807", "Foreground", "a in (b", "metadata.name%3Dp", "status.phase%3DRunning", "\u{0}", "é",
    ]
    private static let types = [
        nil, "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
        "application/json-patch+json",
        "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml",
        "text/plain", ";", "application/json; charset=utf-8",
    ]

    static func request(_ chance: inout SeededChance) -> (String, String, [UInt8], String?) {
        let method = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", ""].randomElement(using: &chance)!
        var path = known.randomElement(using: &chance)!
        if Int.random(in: 0..<3, using: &chance) == 0 {
            path =
                "/"
                + (0..<Int.random(in: 1...8, using: &chance)).map { _ in segments.randomElement(using: &chance)! }
                .joined(separator: "/")
        }
        let query = (0..<Int.random(in: 0...3, using: &chance)).map { _ in
            "\(names.randomElement(using: &chance)!)=\(values.randomElement(using: &chance)!)"
        }
        if !query.isEmpty { path += "?" + query.joined(separator: "&") }
        return (method, path, body(&chance), types.randomElement(using: &chance)!)
    }

    private static func body(_ chance: inout SeededChance) -> [UInt8] {
        switch Int.random(in: 0..<7, using: &chance) {
        case 0: return []
        case 1:
            return (0..<Int.random(in: 0...40, using: &chance)).map { _ in UInt8.random(in: 0...255, using: &chance) }
        case 2: return JSONWriter.bytes(value(&chance, 3))
        case 3: return [0x6B, 0x38, 0x73, 0x00] + (0..<20).map { _ in UInt8.random(in: 0...255, using: &chance) }
        case 4: return JSONWriter.bytes([["op": "replace", "path": "/spec/replicas", "value": value(&chance, 1)]])
        case 5:
            var object = Door.deployment("web")
            mutate(&object, &chance)
            return JSONWriter.bytes(object)
        default:
            var object = Door.pod("p")
            mutate(&object, &chance)
            return JSONWriter.bytes(object)
        }
    }

    private static func mutate(_ object: inout JSONValue, _ chance: inout SeededChance) {
        guard var members = object.object, let member = members.members.randomElement(using: &chance) else {
            object = value(&chance, 2)
            return
        }
        if Bool.random(using: &chance) {
            var inner = member.value
            mutate(&inner, &chance)
            members[member.key] = inner
        } else {
            members[member.key] = Bool.random(using: &chance) ? nil : value(&chance, 2)
        }
        object = .object(members)
    }

    private static func value(_ chance: inout SeededChance, _ depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &chance) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &chance))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &chance))
        case 3: return .string(values.randomElement(using: &chance)!)
        case 4: return .number(JSONNumber(Double.random(in: -1e300...1e300, using: &chance)))
        case 5: return .array((0..<3).map { _ in value(&chance, depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<3 {
                object[
                    ["metadata", "spec", "name", "kind", "apiVersion", "replicas", "containers", "$patch", "status"]
                        .randomElement(using: &chance)!] = value(&chance, depth - 1)
            }
            return .object(object)
        }
    }
}
