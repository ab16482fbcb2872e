import JSON
import KubeStore
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// What a namespace has from the beginning, and how it goes.
@Suite(.timeLimit(.minutes(1))) struct NamespaceTests {
    private let world = World()
    private let controller = NamespaceController(
        kinds: StoredKinds([.pods, .configMaps, .deployments, .secrets, .serviceAccounts]))

    private func addNamespace(_ name: String) async throws {
        try await world.add(.namespaces, name, ["spec": ["finalizers": ["kubernetes"]], "status": ["phase": "Active"]])
    }

    @Test func `a namespace goes when the last object in it has gone`() async throws {
        try await addNamespace("team")
        try await world.add(.configMaps, "settings", in: "team", [:])
        try await world.add(.configMaps, "held", in: "team", ["metadata": ["finalizers": ["test/hold"]]])
        try await world.add(.configMaps, "elsewhere", [:])
        try await world.delete(.namespaces, "team")
        try await world.settle(controller)
        #expect(world.names(.configMaps) == ["elsewhere", "held"])
        let namespace = try world.object(.namespaces, "team")
        #expect(namespace.status["phase"] == "Terminating")
        #expect(
            namespace.condition("NamespaceContentRemaining")?["message"]
                == "Some resources are remaining: configmaps. has 1 resource instances")
        #expect(
            namespace.condition("NamespaceFinalizersRemaining")?["message"]
                == "Some content in the namespace has finalizers remaining: test/hold in 1 resource instances")
        #expect(namespace.condition("NamespaceDeletionContentFailure")?["status"] == "False")
        try await world.change(.configMaps, "held", in: "team") { $0.metadata.finalizers = [] }
        try await world.settle(controller)
        #expect(world.names(.namespaces).isEmpty)
        #expect(world.names(.configMaps) == ["elsewhere"])
    }

    @Test func `pods go before everything else`() async throws {
        try await addNamespace("team")
        try await world.addNode()
        try await world.addRunning("web", in: "team", address: "10.1.0.5", labels: [:])
        try await world.add(.secrets, "password", in: "team", [:])
        try await world.delete(.namespaces, "team")
        try await world.settle(controller)
        #expect(try world.object(.pods, "web", in: "team").isBeingDeleted)
        #expect(world.names(.secrets) == ["password"])
        try await world.finish("web", in: "team")
        try await world.settle(controller)
        #expect(world.names(.namespaces).isEmpty && world.names(.secrets).isEmpty)
    }

    @Test func `a namespace of somebody else's finalizer is cleared and stays`() async throws {
        try await addNamespace("team")
        try await world.change(.namespaces, "team") { $0.metadata.finalizers = ["test/hold"] }
        try await world.add(.secrets, "password", in: "team", [:])
        try await world.delete(.namespaces, "team")
        try await world.settle(controller)
        let namespace = try world.object(.namespaces, "team")
        #expect(namespace.spec["finalizers"] == [])
        #expect(namespace.condition("NamespaceContentRemaining")?["status"] == "False")
        #expect(world.names(.secrets).isEmpty)
    }

    @Test func `a namespace waits for a kind that is not seen yet`() async throws {
        let widgets = PassingKinds.widgets
        let kinds = PassingKinds()
        let controller = NamespaceController(kinds: StoredKinds(kinds))
        try await addNamespace("team")
        try await world.add(widgets, "w", in: "team", [:])
        kinds.set([widgets])
        world.see(widgets, false)
        try await world.delete(.namespaces, "team")
        try await world.settle(controller)
        #expect(world.names(.namespaces) == ["team"] && world.names(widgets) == ["w"])
        world.see(widgets, true)
        #expect(controller.concerned(byNewcomer: widgets, in: world) == [Resource.namespaces.key("team")])
        try await world.settle(controller)
        #expect(world.names(.namespaces).isEmpty && world.names(widgets).isEmpty)
    }

    @Test func `a namespace says what of it cannot be deleted, until it can`() async throws {
        try await addNamespace("team")
        try await world.add(.configMaps, "settings", in: "team", [:])
        try await world.delete(.namespaces, "team")
        let key = Resource.namespaces.key("team")
        func condition() throws -> JSONValue? {
            try world.object(.namespaces, "team").condition("NamespaceDeletionContentFailure")
        }
        let delete = try #require(
            controller.decide(key, in: world, now: world.now).actions.first {
                if case .delete = $0 { true } else { false }
            })
        let refusal = APIFailure(403, "Forbidden", "configmaps \"settings\" is forbidden: made up")
        for action in controller.failed(delete, refusal, about: key, in: world, now: world.now) {
            try await world.perform(action)
        }
        #expect(try condition()?["status"] == "True" && condition()?["reason"] == "ContentDeletionFailed")
        #expect(
            try condition()?["message"]
                == "Failed to delete all resource types, 1 remaining: configmaps \"settings\" is forbidden: made up")
        // It is tried again, and nothing is said anew while it fails.
        #expect(controller.failed(delete, refusal, about: key, in: world, now: world.now).isEmpty)
        for action in controller.decide(key, in: world, now: world.now).actions {
            guard case .update = action else { continue }
            try await world.perform(action)
        }
        #expect(try condition()?["status"] == "True")
        try await world.change(.configMaps, "settings", in: "team") { $0.metadata.finalizers = ["test/hold"] }
        try await world.settle(controller)
        #expect(try condition()?["status"] == "False")
    }

    @Test func `nothing happens to a namespace that stays`() async throws {
        try await addNamespace("team")
        try await world.add(.secrets, "password", in: "team", [:])
        let written = world.writes
        try await world.settle(controller)
        #expect(world.writes == written)
    }

    @Test func `every namespace has the authority's certificate and a default account`() async throws {
        let publisher = RootCertificatePublisher(certificate: "PEM")
        let accounts = ServiceAccountsController()
        try await addNamespace("team")
        try await addNamespace("going")
        try await world.change(.namespaces, "going") { $0.status["phase"] = "Terminating" }
        try await world.settle(publisher, accounts)
        #expect(world.names(.configMaps) == ["kube-root-ca.crt"])
        #expect(try world.object(.configMaps, "kube-root-ca.crt", in: "team").json["data"] == ["ca.crt": "PEM"])
        #expect(world.names(.serviceAccounts) == ["default"])
        // They come back, and are put right.
        try await world.delete(.serviceAccounts, "default", in: "team")
        try await world.change(.configMaps, "kube-root-ca.crt", in: "team") { $0.json["data"] = ["ca.crt": "other"] }
        try await world.settle(publisher, accounts)
        #expect(try world.object(.configMaps, "kube-root-ca.crt", in: "team").json["data"] == ["ca.crt": "PEM"])
        #expect(world.names(.serviceAccounts) == ["default"])
    }

    @Test func `a token secret is filled for its account and goes with it`() async throws {
        let tokens = TokenSecretController(certificate: "PEM") { "token of \($0.account) \($0.accountUID)" }
        let account = try await world.add(.serviceAccounts, "robot", [:])
        try await world.add(
            .secrets, "robot-token",
            [
                "type": "kubernetes.io/service-account-token",
                "metadata": ["annotations": ["kubernetes.io/service-account.name": "robot"]],
            ])
        try await world.add(.secrets, "other", ["type": "Opaque"])
        try await world.settle(tokens)
        let secret = try world.object(.secrets, "robot-token")
        #expect(secret.metadata.annotations["kubernetes.io/service-account.uid"] == account.uid)
        let token = Base64.bytes(secret.json["data"]?["token"]?.string ?? "").map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(token == "token of robot \(account.uid)")
        #expect(secret.json["data"]?["namespace"]?.string == Base64.text(Array("default".utf8)))
        #expect(secret.json["data"]?["ca.crt"]?.string == Base64.text(Array("PEM".utf8)))
        try await world.delete(.serviceAccounts, "robot")
        try await world.settle(tokens)
        #expect(world.names(.secrets) == ["other"])
    }
}
