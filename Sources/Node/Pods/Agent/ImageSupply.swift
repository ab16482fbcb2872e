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
        let image = try await pull(reference, pod)
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

    private func pull(_ reference: Reference, _ pod: KubeObject) async throws(PodMachine.StartFailureError)
        -> StoredImage
    {
        let name = reference.tagged.description
        guard let host = reference.host ?? settings.defaultRegistry else {
            throw .init(
                .pull(
                    "failed to pull image \"\(name)\": no such image here, and no registry is configured for names without a host"
                ))
        }
        let credentials = await credentials(for: pod)
        let problems: RegistryFailure
        do throws(RegistryFailure) {
            let client = RegistryClient(
                RegistryClient.Settings(plainHosts: settings.plainHosts, trust: try await settings.registryTrust(host)),
                credentials: KnownCredentials(credentials.filter { $0.key == host }))
            do throws(RegistryFailure) {
                let images = images
                let pull = StorePull(
                    store: images, client: client, defaultRegistry: settings.defaultRegistry,
                    prepare: { manifest throws(ImageFailure) in try await images.unpackLayers(of: manifest) { _, _ in }
                    })
                let outcome = try await pull.run(reference, now: now())
                await client.close()
                return outcome.image
            } catch {
                await client.close()
                throw error
            }
        } catch { problems = error }
        throw .init(.pull("failed to pull and unpack image \"\(name)\": \(problems)"))
    }

    /// What imagePullSecrets say, of the pod and then of its service account.
    private func credentials(for pod: KubeObject) async -> [String: Credentials] {
        let namespace = pod.namespace ?? "default"
        var names = (pod.spec["imagePullSecrets"]?.array ?? []).compactMap { $0["name"]?.string }
        if names.isEmpty, let account = pod.spec["serviceAccountName"]?.string,
            let object = try? await references.find(.serviceAccounts, namespace: namespace, account)
        {
            names = (object.json["imagePullSecrets"]?.array ?? []).compactMap { $0["name"]?.string }
        }
        var known: [String: Credentials] = [:]
        for name in names {
            // A secret that is missing or not one for registries is passed over, as the kubelet does.
            guard let data = try? await references.secret(namespace, name) else { continue }
            if let bytes = data[".dockerconfigjson"] {
                let config = try? DockerConfig(bytes, path: "the secret \(namespace)/\(name)")
                known.merge(config?.credentials ?? [:]) { first, _ in first }
            } else if let bytes = data[".dockercfg"] {
                let wrapped = Array("{\"auths\":".utf8) + bytes + Array("}".utf8)
                let config = try? DockerConfig(wrapped, path: "the secret \(namespace)/\(name)")
                known.merge(config?.credentials ?? [:]) { first, _ in first }
            }
        }
        return known
    }
}
