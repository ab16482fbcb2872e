import Images
import JSON
import KubeObjects
import KubeSchema
import Linux
import OCI
import Registry
import Synchronization
import TestKit
import Testing

@testable import Pods

/// Pods whose images come from Debian's docker-registry.
@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct PodImageTests {
    /// Puts the image into the registry, without the node's knowing.
    /// - Returns: its digest there.
    @discardableResult
    private func push(
        _ name: String, to registry: DebianRegistry, _ credentials: Credentials? = nil, trust: RegistryTrust? = nil
    ) async throws -> Digest {
        let directory = try TemporaryDirectory("elsewhere")
        let store = try ImageStore(directory: directory.path("images"))
        try TestImage.busybox(in: store, as: "\(registry.host)/\(name)") { $0.cmd = ["sleep", "1000"] }
        let client = RegistryClient(
            .init(plainHosts: trust == nil ? [registry.host] : [], trust: trust ?? RegistryTrust()),
            credentials: KnownCredentials(credentials.map { [registry.host: $0] } ?? [:]))
        let pushed: Result<StorePush.Outcome, RegistryFailure>
        do throws(RegistryFailure) {
            pushed = .success(
                try await StorePush(store: store, client: client).run(try! Reference("\(registry.host)/\(name)")))
        } catch { pushed = .failure(error) }
        await client.close()
        return try pushed.get().digest
    }

    private static let me = Credentials.password(user: DebianRegistry.user, password: DebianRegistry.password)

    private func spec(_ image: String, _ change: (inout JSONValue) -> Void = { _ in }) -> JSONValue {
        var container: JSONValue = ["name": "main", "image": .string(image)]
        change(&container)
        return ["containers": [container], "terminationGracePeriodSeconds": 1]
    }

    private func waits(_ stage: PodStage, _ name: String, _ reason: String) async throws -> String {
        let pod = try await stage.pod(name, "\(name) waits: \(reason)") {
            $0.status["containerStatuses"]?[0]?["state", "waiting", "reason"]?.string == reason
        }
        return pod.status["containerStatuses"]?[0]?["state", "waiting", "message"]?.string ?? ""
    }

    /// Why the image of a pod could not be had, as its event says: the status has the reason ErrImagePull for a second.
    private func pullProblem(_ stage: PodStage, _ name: String, _ image: String) async throws -> String {
        let words = "Warning Failed: Failed to pull image \"\(image)\": "
        return try await eventuallySome(within: .seconds(60), "\(name) cannot have its image") {
            try await events(stage, name).first { $0.hasPrefix(words) }.map { String($0.dropFirst(words.count)) }
        }
    }

    private func events(_ stage: PodStage, _ name: String) async throws -> [String] {
        try await stage.api.list(.events, namespace: "default", labels: .everything)
            .filter { $0.json["involvedObject", "name"]?.string == name }
            .map {
                "\($0.json["type"]?.string ?? "") \($0.json["reason"]?.string ?? ""): \($0.json["message"]?.string ?? "")"
            }
    }

    private func secret(_ name: String, _ host: String, password: String) -> KubeObject {
        let auth = Base64.text(Array("\(DebianRegistry.user):\(password)".utf8))
        let config: JSONValue = ["auths": [host: ["auth": .string(auth)]]]
        return KubeObject(json: [
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
            "metadata": ["name": .string(name), "namespace": "default"],
            "data": [".dockerconfigjson": .string(Base64.text(JSONWriter.bytes(config)))],
        ])
    }

    @Test func `an image comes from its registry by tag and by digest, and with Always each time`() async throws {
        try await DebianRegistry.serving { registry in
            let digest = try await push("app:1", to: registry)
            let stage = try await PodStage { $0.plainHosts = [registry.host] }
            let name = "\(registry.host)/app"
            // Several at once: the image comes once, and all have it.
            for number in 0..<3 { try await stage.make("tag-\(number)", spec("\(name):1")) }
            for number in 0..<3 { _ = try await stage.phase("tag-\(number)", "Running") }
            try await stage.make("digest", spec("\(name)@\(digest)"))
            let pod = try await stage.phase("digest", "Running")
            #expect(pod.status["containerStatuses"]?[0]?["imageID"]?.string?.isEmpty == false)
            try await stage.make("always", spec("\(name):1") { $0["imagePullPolicy"] = "Always" })
            _ = try await stage.phase("always", "Running")
            try await eventually {
                let told = try await events(stage, "always")
                return told.contains("Normal Pulling: Pulling image \"\(name):1\"")
                    && told.contains { $0.hasPrefix("Normal Pulled: Successfully pulled image \"\(name):1\" in ") }
            }
            try await stage.make("present", spec("\(name):1") { $0["imagePullPolicy"] = "Never" })
            _ = try await stage.phase("present", "Running")
            try await eventually {
                try await events(stage, "present").contains(
                    "Normal Pulled: Container image \"\(name):1\" already present on machine")
            }
            try await stage.make("never", spec("\(name):2") { $0["imagePullPolicy"] = "Never" })
            let message = try await waits(stage, "never", "ErrImageNeverPull")
            #expect(message == "Container image \"\(name):2\" is not present with pull policy of Never")
            try await eventually {
                let told = try await events(stage, "never")
                return told.contains("Warning ErrImageNeverPull: \(message)")
                    && told.contains("Warning Failed: Error: ErrImageNeverPull")
            }
            try await stage.end()
        }
    }

    @Test func `a registry that asks for a password gets it from the secrets of the pod or of its account`()
        async throws
    {
        try await DebianRegistry.serving(.password) { registry in
            try await push("team/app:1", to: registry, Self.me)
            let stage = try await PodStage { $0.plainHosts = [registry.host] }
            let name = "\(registry.host)/team/app:1"
            _ = try await stage.api.create(.secrets, secret("right", registry.host, password: DebianRegistry.password))
            _ = try await stage.api.create(.secrets, secret("wrong", registry.host, password: "guessed"))
            func with(_ secrets: String...) -> JSONValue {
                var spec = spec(name)
                spec["imagePullSecrets"] = .array(secrets.map { ["name": .string($0)] })
                return spec
            }
            try await stage.make("stranger", spec(name))
            try await stage.make("guesser", with("wrong", "missing"))
            for pod in ["stranger", "guesser"] {
                let message = try await pullProblem(stage, pod, name)
                #expect(message.hasPrefix("failed to pull and unpack image \"\(name)\": "), "\(message)")
                let later = try await waits(stage, pod, "ImagePullBackOff")
                #expect(later == "Back-off pulling image \"\(name)\": ErrImagePull: \(message)")
                try await eventually(within: .seconds(20), "events of \(pod)") {
                    let told = try await events(stage, pod)
                    return [
                        "Normal Pulling: Pulling image \"\(name)\"",
                        "Warning Failed: Failed to pull image \"\(name)\": \(message)",
                        "Warning Failed: Error: ErrImagePull", "Normal BackOff: Back-off pulling image \"\(name)\"",
                        "Warning Failed: Error: ImagePullBackOff",
                    ].allSatisfy(told.contains)
                }
            }
            #expect(
                try await events(stage, "guesser").contains(
                    "Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (missing); attempting to pull the image may not succeed."
                ))
            // Where one secret does not do, the next is tried.
            try await stage.make("friend", with("wrong", "right"))
            _ = try await stage.phase("friend", "Running")
            // Always: what is here already is no way around the password.
            _ = try await stage.api.create(
                .serviceAccounts,
                KubeObject(json: [
                    "apiVersion": "v1", "kind": "ServiceAccount",
                    "metadata": ["name": "puller", "namespace": "default"],
                    "imagePullSecrets": [["name": "right"]],
                ]))
            var byAccount = spec(name) { $0["imagePullPolicy"] = "Always" }
            byAccount["serviceAccountName"] = "puller"
            byAccount["automountServiceAccountToken"] = false
            try await stage.make("member", byAccount)
            _ = try await stage.phase("member", "Running")
            try await stage.end()
        }
    }

    @Test func `a pod that waits for a registry that does not answer goes when it is deleted`() async throws {
        // Connections come about, and nothing else.
        let silent = try Loopback.listen()
        let host = "127.0.0.1:\(silent.port)"
        let stage = try await PodStage { $0.plainHosts = [host] }
        for name in ["one", "two"] { try await stage.make(name, spec("\(host)/app:1")) }
        for name in ["one", "two"] {
            try await eventually("\(name) is being pulled") {
                try await events(stage, name).contains("Normal Pulling: Pulling image \"\(host)/app:1\"")
            }
        }
        for name in ["one", "two"] { try await stage.delete(name, grace: 1) }
        for name in ["one", "two"] { try await stage.gone(name) }
        try await stage.end()
        withExtendedLifetime(silent) {}
    }

    @Test func `a registry with TLS is asked when its certificate is trusted`() async throws {
        let directory = try TemporaryDirectory("trust")
        let certificate = try await DebianRegistry.Certificate(in: directory)
        try await DebianRegistry.serving(certificate: certificate) { registry in
            let trust = RegistryTrust(additional: [certificate.certificate])
            try await push("app:1", to: registry, trust: trust)
            let isTrusted = Mutex(false)
            let stage = try await PodStage { settings in
                settings.registryTrust = { _ async throws(RegistryFailure) in
                    isTrusted.withLock { $0 } ? trust : RegistryTrust()
                }
            }
            let name = "\(registry.host)/app:1"
            try await stage.make("early", spec(name))
            let message = try await pullProblem(stage, "early", name)
            #expect(message.contains("no trusted TLS connection"), "\(message)")
            isTrusted.withLock { $0 = true }
            try await stage.make("late", spec(name))
            _ = try await stage.phase("late", "Running")
            try await stage.end()
        }
    }
}

/// What decides how images are pulled, by itself.
@Suite(.timeLimit(.minutes(1))) struct PullRuleTests {
    private func keyring(_ auths: JSONValue, isOld: Bool = false) -> PullKeyring {
        var keyring = PullKeyring()
        let data =
            isOld ? [".dockercfg": JSONWriter.bytes(auths)] : [".dockerconfigjson": JSONWriter.bytes(["auths": auths])]
        let isTaken = keyring.add(secret: data)
        #expect(isTaken)
        return keyring
    }

    private func users(_ keyring: PullKeyring, _ host: String, _ path: String) -> [String] {
        keyring.credentials(host: host, path: path).map {
            if case .password(let user, _) = $0 { user } else { "token" }
        }
    }

    private func user(_ name: String) -> JSONValue { ["username": .string(name), "password": "x"] }

    @Test func `credentials are for what their key names, and for nothing else`() {
        let keyring = keyring([
            "registry.example:5000": user("whole"), "registry.example:5000/team": user("team"),
            "https://index.docker.io/v1/": user("docker"), "*.wild.example": user("wild"), "broken.example": "none",
            "http://plain.example/v2/": user("plain"),
        ])
        #expect(users(keyring, "registry.example:5000", "team/app") == ["team", "whole"])
        #expect(users(keyring, "registry.example:5000", "teamwork/app") == ["whole"])
        #expect(users(keyring, "registry.example", "team/app") == [])
        #expect(users(keyring, "docker.io", "library/app") == ["docker"])
        #expect(users(keyring, "a.wild.example", "x") == ["wild"])
        #expect(users(keyring, "a.b.wild.example", "x") == [])
        #expect(users(keyring, "wild.example", "x") == [])
        #expect(users(keyring, "evil-registry.example:5000", "x") == [])
        #expect(users(keyring, "plain.example", "x") == ["plain"])
        #expect(users(self.keyring(["old.example": user("old")], isOld: true), "old.example", "x") == ["old"])
    }

    @Test func `no text traps the reader of secrets`() {
        var chance = SeededChance(seed: 7)
        for _ in 0..<500 {
            let key = String((0..<10).map { _ in "*?./:-a1@".randomElement(using: &chance)! })
            let keyring = keyring([key: user("u")])
            _ = keyring.credentials(host: String(key.prefix(6)), path: String(key.suffix(4)))
        }
        var keyring = PullKeyring()
        for bytes in ["", "[]", "{}", "{\"auths\":7}", "{\"auths\":{\"a\":{\"auth\":\"%\"}}"] {
            _ = keyring.add(secret: [".dockerconfigjson": Array(bytes.utf8)])
        }
        let isTaken = keyring.add(secret: ["password": []])
        #expect(!isTaken)
    }

    /// A pull that ends when the test says so.
    private final class Gate: Sendable {
        private struct State {
            var begun = 0
            var isOpen = false
            var wasCancelled = false
        }
        private let state = Mutex(State())

        var begun: Int { state.withLock { $0.begun } }
        var wasCancelled: Bool { state.withLock { $0.wasCancelled } }
        func open() { state.withLock { $0.isOpen = true } }

        func pull() async -> SharedPulls.Outcome {
            state.withLock { $0.begun += 1 }
            while !state.withLock({ $0.isOpen }) {
                guard (try? await Task.sleep(for: .milliseconds(2))) != nil else {
                    state.withLock { $0.wasCancelled = true }
                    break
                }
            }
            return .failure(RegistryFailure(.notFound, "of the test"))
        }
    }

    private let key = SharedPulls.Key(image: "app:1", credentials: [])

    @Test func `pods that need the same image at once pull it once`() async throws {
        let (pulls, gate, key) = (SharedPulls(), Gate(), key)
        let waiting = (0..<5).map { _ in Task { await pulls.outcome(key) { await gate.pull() } } }
        let other = Task {
            await pulls.outcome(.init(image: "app:1", credentials: [.identityToken("x")])) { await gate.pull() }
        }
        try await eventually("all wait for two pulls") { gate.begun == 2 && pulls.waiting(for: key) == 5 }
        gate.open()
        for task in waiting + [other] {
            guard case .failure(let failure) = await task.value else {
                Issue.record("no outcome")
                continue
            }
            #expect(failure.message == "of the test")
        }
        #expect(gate.begun == 2)
        // The next one begins anew.
        _ = await pulls.outcome(key) { await gate.pull() }
        #expect(gate.begun == 3)
    }

    @Test func `a pull goes on while somebody waits for it, and no longer`() async throws {
        let (pulls, gate, key) = (SharedPulls(), Gate(), key)
        let first = Task { await pulls.outcome(key) { await gate.pull() } }
        try await eventually { gate.begun == 1 }
        let second = Task { await pulls.outcome(key) { await gate.pull() } }
        try await eventually("both wait") { pulls.waiting(for: key) == 2 }
        first.cancel()
        #expect(await first.value == nil)
        #expect(!gate.wasCancelled)
        second.cancel()
        #expect(await second.value == nil)
        try await eventually("the pull is taken back") { gate.wasCancelled }
        let late = Task { await pulls.outcome(key) { await gate.pull() } }
        try await eventually { gate.begun >= 2 }
        gate.open()
        #expect(await late.value != nil)
    }
}
