import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct AccessTests {
    static let ann = UserInfo(name: "ann", groups: ["team", "system:authenticated"])
    static let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
    static let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"

    static func role(_ name: String, _ rules: JSONValue) -> JSONValue {
        [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": ["name": .string(name)],
            "rules": rules,
        ]
    }

    static func binding(_ name: String, _ role: String, kind: String = "Role", user: String = "ann") -> JSONValue {
        [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": ["name": .string(name)],
            "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": .string(kind), "name": .string(role)],
            "subjects": [["kind": "User", "name": .string(user), "apiGroup": "rbac.authorization.k8s.io"]],
        ]
    }

    @Test func `what no rule allows is refused`() async throws {
        let door = try await Door()
        let list = await door.send("GET", pods, as: Self.ann)
        #expect(list.status == 403)
        #expect(
            list.message
                == "pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""
        )
        #expect(list.reason == "Forbidden")
        let one = await door.send("GET", deployments + "/web/status", as: Self.ann)
        #expect(
            one.message
                == "deployments.apps \"web\" is forbidden: User \"ann\" cannot get resource \"deployments/status\" in API group "
                + "\"apps\" in the namespace \"default\"")
        let nodes = await door.send("GET", "/api/v1/nodes", as: Self.ann)
        #expect(
            nodes.message
                == "nodes is forbidden: User \"ann\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"
        )
        let path = await door.send("GET", "/metrics", as: Self.ann)
        #expect(path.message == "forbidden: User \"ann\" cannot get path \"/metrics\"")
        await door.close()
    }

    @Test func `everybody who is known may discover`() async throws {
        let door = try await Door()
        #expect(await door.send("GET", "/api", as: Self.ann).status == 200)
        #expect(await door.send("GET", "/version", as: .anonymous).status == 200)
        #expect(await door.send("GET", "/api", as: .anonymous).status == 403)
        await door.close()
    }

    @Test func `a role counts for the next request`() async throws {
        let door = try await Door()
        let rules: JSONValue = [["apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]]]
        _ = await door.send("POST", Self.roles, Self.role("reader", rules))
        _ = await door.send("POST", Self.bindings, Self.binding("ann-reads", "reader"))
        #expect(await door.send("GET", pods, as: Self.ann).status == 200)
        #expect(await door.send("GET", pods + "/x/log", as: Self.ann).status == 403)
        _ = await door.send("DELETE", Self.bindings + "/ann-reads")
        #expect(await door.send("GET", pods, as: Self.ann).status == 403)
        await door.close()
    }

    @Test func `a role binding ends at its namespace`() async throws {
        let door = try await Door()
        _ = await door.send("POST", Self.bindings, Self.binding("ann-views", "view", kind: "ClusterRole"))
        #expect(await door.send("GET", pods, as: Self.ann).status == 200)
        #expect(await door.send("GET", "/api/v1/pods", as: Self.ann).status == 403)
        #expect(await door.send("GET", "/api/v1/namespaces/kube-system/pods", as: Self.ann).status == 403)
        #expect(await door.send("GET", "/api/v1/namespaces/default/secrets", as: Self.ann).status == 403)
        await door.close()
    }

    @Test func `an aggregated role has the rules of those it selects`() async throws {
        let door = try await Door()
        let role: JSONValue = [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": [
                "name": "more-view", "labels": ["rbac.authorization.k8s.io/aggregate-to-view": "true"],
            ], "rules": [["apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]]],
        ]
        _ = await door.send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
        let rules = door.server.access.policy.rules(ofClusterRole: "admin")
        // view goes into edit, and edit into admin.
        #expect(door.server.access.policy.rules(ofClusterRole: "view").contains { $0.groups == ["example.com"] })
        #expect(rules.contains { $0.groups == ["example.com"] })
        #expect(rules.contains { $0.resources.contains("roles") })
        await door.close()
    }

    @Test func `nobody gives what he does not have`() async throws {
        let door = try await Door()
        _ = await door.send("POST", Self.bindings, Self.binding("ann-admin", "admin", kind: "ClusterRole"))
        let own = await door.send(
            "POST", Self.roles,
            Self.role("r", [["apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]]]),
            as: Self.ann)
        #expect(own.status == 201, "\(own.text)")
        let more = await door.send(
            "POST", Self.roles,
            Self.role("x", [["apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]]]),
            as: Self.ann)
        #expect(more.status == 403)
        #expect(
            more.message
                == "roles.rbac.authorization.k8s.io \"x\" is forbidden: user \"ann\" (groups=[\"team\" \"system:authenticated\"]) is "
                + "attempting to grant RBAC permissions not currently held:\n"
                + "{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"list\"]}")
        let binding = await door.send(
            "POST", Self.bindings, Self.binding("b", "cluster-admin", kind: "ClusterRole", user: "ann"), as: Self.ann)
        #expect(binding.status == 403)
        let missing = await door.send("POST", Self.bindings, Self.binding("b", "nothing"), as: Self.ann)
        #expect(missing.status == 404)
        #expect(missing.message == "roles.rbac.authorization.k8s.io \"nothing\" not found")
        await door.close()
    }

    @Test func `who may impersonate some is not everybody`() async throws {
        let door = try await Door()
        let refused = await door.send("GET", pods, as: Self.ann, headers: ["impersonate-user": "bob"])
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "users \"bob\" is forbidden: User \"ann\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
        )
        let bob = await door.send("GET", pods, headers: ["impersonate-user": "bob"])
        #expect(bob.message.contains("User \"bob\" cannot list"))
        let who = await door.send(
            "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            ["apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"],
            headers: ["impersonate-user": "system:serviceaccount:default:x"])
        #expect(
            who.json["status", "userInfo", "groups"]
                == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"])
        await door.close()
    }

    @Test func `reviews answer what requests would be told`() async throws {
        let door = try await Door()
        _ = await door.send("POST", Self.bindings, Self.binding("ann-views", "view", kind: "ClusterRole"))
        func may(_ verb: String, _ resource: String) async -> JSONValue? {
            let question: JSONValue = [
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": [
                    "resourceAttributes": [
                        "namespace": "default", "verb": .string(verb), "resource": .string(resource),
                    ]
                ],
            ]
            let answer = await door.send(
                "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", question, as: Self.ann)
            return answer.json["status"]
        }
        let yes = await may("list", "pods")
        #expect(yes?["allowed"] == true)
        #expect(
            yes?["reason"]
                == "RBAC: allowed by RoleBinding \"ann-views/default\" of ClusterRole \"view\" to User \"ann\"")
        #expect(await may("delete", "pods") == ["allowed": false])
        let rules = await door.send(
            "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
            [
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
                "spec": ["namespace": "default"],
            ], as: Self.ann)
        #expect(rules.json["status", "resourceRules"]?.array?.isEmpty == false)
        await door.close()
    }

    @Test func `what is applied may also have to be made`() async throws {
        let door = try await Door()
        let rules: JSONValue = [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch", "get"]]]
        _ = await door.send("POST", Self.roles, Self.role("patcher", rules))
        _ = await door.send("POST", Self.bindings, Self.binding("ann-patches", "patcher"))
        let answer = await door.send(
            "PATCH", maps + "/a?fieldManager=x", Door.configMap("a"), type: "application/apply-patch+yaml", as: Self.ann
        )
        #expect(answer.status == 403)
        #expect(answer.message.contains("cannot create resource \"configmaps\""))
        await door.close()
    }

    @Test(arguments: ["exec?command=ls&stdout=true", "attach?stdout=true", "portforward?ports=80"])
    func `whoever may only get a stream to a pod may not make one`(stream: String) async throws {
        let door = try await Door()
        var pod = Door.pod("p")
        pod["spec", "nodeName"] = "n1"
        _ = await door.send("POST", pods, pod)
        let subresource = String(stream.prefix(while: { $0 != "?" }))
        func allow(_ verbs: JSONValue, to name: String) async {
            let resources: JSONValue = [.string("pods/" + subresource)]
            let rules: JSONValue = [["apiGroups": [""], "resources": resources, "verbs": verbs]]
            _ = await door.send("POST", Self.roles, Self.role(name, rules))
            _ = await door.send("POST", Self.bindings, Self.binding("ann-" + name, name))
        }
        await allow(["get"], to: "asks")
        let refused = await door.send("GET", pods + "/p/" + stream, as: Self.ann)
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "pods \"p\" is forbidden: User \"ann\" cannot create resource \"pods/\(subresource)\" in API group \"\" "
                + "in the namespace \"default\"")
        await allow(["create"], to: "makes")
        #expect(await door.send("GET", pods + "/p/" + stream, as: Self.ann).status == 101)
        await door.close()
    }

    @Test func `rules of any shape are asked without a trap`() {
        var chance = SeededChance(seed: 7)
        let words = ["*", "pods", "pods/log", "*/log", "", "get", "list", "/a/*", "/a", "apps", "x/"]
        func some() -> [String] {
            (0..<Int.random(in: 0...3, using: &chance)).map { _ in words.randomElement(using: &chance)! }
        }
        for _ in 0..<3000 {
            let rule = PolicyRule(verbs: some(), groups: some(), resources: some(), names: some(), paths: some())
            let target = AccessAttributes.Target(
                group: words.randomElement(using: &chance)!, plural: words.randomElement(using: &chance)!,
                subresource: some().first, name: some().first, namespace: nil)
            _ = rule.allows(AccessAttributes(verb: words.randomElement(using: &chance)!, .resource(target)))
            // A rule covers itself, part by part.
            for one in rule.single { #expect(rule.covers(one), "\(rule.text) \(one.text) \(chance)") }
        }
    }
}
