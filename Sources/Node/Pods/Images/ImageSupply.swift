import Images
import JSON
import KubeObjects
import Linux
import OCI
import Registry

/// Where the images of pods come from: the node's store, and registries.
struct ImageSupply: Sendable {
    let images: ImageStore
    let settings: PodSettings
    let references: References
    let pulls: SharedPulls
    let waits: PullWaits
    let now: @Sendable () -> Timestamp

    struct Found: Sendable {
        var image: StoredImage
        /// What the engine finds it by.
        var name: String
        var defaults: ImageDefaults
    }

    /// What happens on the way, for events.
    enum Word: Sendable {
        case present
        case pulling
        case pulled(milliseconds: Int, bytes: Int)
        /// Secrets for registries that are not there, or are none.
        case secretsMissing([String])
    }

    /// Has the image of a container here, pulling it where its policy says so.
    func supply(
        _ container: JSONValue, of pod: KubeObject, say: (Word) -> Void
    ) async throws(PodMachine.StartFailureError) -> Found {
        let text = container["image"]?.string ?? ""
        let reference: Reference
        do throws(ReferenceError) { reference = try Reference(text) } catch {
            throw .init(
                .image(
                    reason: "InvalidImageName",
                    "Failed to apply default image tag \"\(text)\": couldn't parse image name \"\(text)\": invalid reference format"
                ))
        }
        let policy = container["imagePullPolicy"]?.string ?? Self.defaultPolicy(reference)
        let present = find(text, reference)
        if policy != "Always" || isLocal(reference), let present {
            say(.present)
            return try await opened(present.image, present.name)
        }
        guard policy != "Never" else {
            throw .init(
                .image(
                    reason: "ErrImageNeverPull", "Container image \"\(text)\" is not present with pull policy of Never")
            )
        }
        say(.pulling)
        let begin = now()
        let image = try await pull(reference, pod, say: say)
        say(.pulled(milliseconds: (now().nanoseconds - begin.nanoseconds) / 1_000_000, bytes: image.size))
        return try await opened(image, text)
    }

    /// Always for the tag latest, as the API's own default.
    static func defaultPolicy(_ reference: Reference) -> String {
        reference.digest == nil && (reference.tag ?? "latest") == "latest" ? "Always" : "IfNotPresent"
    }

    /// Whether no registry is meant: a name without a host where none is the default one's. Such an image was built or
    /// loaded here, and there is nowhere to pull it from.
    private func isLocal(_ reference: Reference) -> Bool { reference.host == nil && settings.defaultRegistry == nil }

    /// By its name, and by the short name that "docker.io/library/app" also has.
    private func find(_ text: String, _ reference: Reference) -> (image: StoredImage, name: String)? {
        var names = [text]
        for prefix in ["docker.io/library/", "docker.io/"] where text.hasPrefix(prefix) {
            names.append(String(text.dropFirst(prefix.count)))
        }
        if reference.host == nil, let registry = settings.defaultRegistry {
            names += ["\(registry)/\(text)", "\(registry)/library/\(text)"]
        }
        for name in names { if let image = try? images.resolve(name) { return (image, name) } }
        return nil
    }

    private func opened(_ image: StoredImage, _ name: String) async throws(PodMachine.StartFailureError) -> Found {
        do throws(ImageFailure) {
            return Found(image: image, name: name, defaults: try await images.unpacked(image).config.defaults)
        } catch { throw .init(.create("use the image \"\(name)\": \(error)")) }
    }

    // Pulling.

    private func pull(
        _ reference: Reference, _ pod: KubeObject, say: (Word) -> Void
    ) async throws(PodMachine.StartFailureError) -> StoredImage {
        let name = reference.tagged.description
        guard let host = reference.host ?? settings.defaultRegistry else {
            throw .init(
                .pull(
                    "failed to pull image \"\(name)\": no such image here, and no registry is configured for names without a host"
                ))
        }
        let (keyring, missing) = await keyring(for: pod)
        if !missing.isEmpty { say(.secretsMissing(missing)) }
        let credentials = keyring.credentials(host: host, path: reference.path)
        let outcome = await waits.outcome {
            await pulls.outcome(.init(image: name, credentials: credentials)) {
                await attempt(reference, host, credentials)
            }
        }
        switch outcome {
        case .success(let image): return image
        case .failure(let problem):
            throw .init(.pull("failed to pull and unpack image \"\(name)\": \(problem)"))
        case nil: throw .init(.pull("failed to pull image \"\(name)\": the pod is on its way out"))
        }
    }

    /// With one set of credentials after the other, as the kubelet does; without any when there is none.
    private func attempt(_ reference: Reference, _ host: String, _ credentials: [Credentials]) async
        -> SharedPulls.Outcome
    {
        var last: SharedPulls.Outcome?
        for known in credentials.isEmpty ? [nil] : credentials.map(Optional.some) {
            let outcome = await attempt(reference, host, known)
            guard case .failure(let problem) = outcome, [.denied, .notFound].contains(problem.kind) else {
                return outcome
            }
            last = outcome
        }
        return last!
    }

    private func attempt(_ reference: Reference, _ host: String, _ known: Credentials?) async -> SharedPulls.Outcome {
        do throws(RegistryFailure) {
            let client = RegistryClient(
                RegistryClient.Settings(plainHosts: settings.plainHosts, trust: try await settings.registryTrust(host)),
                credentials: KnownCredentials(known.map { [host: $0] } ?? [:]))
            let images = images
            let pull = StorePull(
                store: images, client: client, defaultRegistry: settings.defaultRegistry,
                prepare: { manifest throws(ImageFailure) in try await images.unpackLayers(of: manifest) { _, _ in } })
            do throws(RegistryFailure) {
                let outcome = try await pull.run(reference, now: now())
                await client.close()
                return .success(outcome.image)
            } catch {
                await client.close()
                return .failure(error)
            }
        } catch { return .failure(error) }
    }

    /// What imagePullSecrets say, of the pod or else of its service account, and the names of those that say nothing.
    private func keyring(for pod: KubeObject) async -> (PullKeyring, missing: [String]) {
        let namespace = pod.namespace ?? "default"
        var names = (pod.spec["imagePullSecrets"]?.array ?? []).compactMap { $0["name"]?.string }
        if names.isEmpty, let account = pod.spec["serviceAccountName"]?.string,
            let object = try? await references.find(.serviceAccounts, namespace: namespace, account)
        {
            names = (object.json["imagePullSecrets"]?.array ?? []).compactMap { $0["name"]?.string }
        }
        var keyring = PullKeyring()
        var missing: [String] = []
        // One that is missing or not for registries holds nothing up: the registry may ask for none.
        for name in names {
            if let data = try? await references.secret(namespace, name), keyring.add(secret: data) { continue }
            missing.append(name)
        }
        return (keyring, missing)
    }
}
