import Engine
import Linux
import OCI
import Registry

/// What this user's Docker configuration knows of a registry, on its way into a request.
enum RegistryCredentials {
    /// How the registry of an image is reached, and by whom.
    static func access(
        to image: Reference, _ plainHosts: [String], _ client: NodeClient
    ) async throws -> RegistryAccess {
        // Only the node knows where local names lead; one that leads nowhere it refuses itself.
        var host = image.host
        if host == nil { host = try await client.call(GetRegistries()).usual }
        guard let host else { return RegistryAccess(plainHosts: plainHosts) }
        return RegistryAccess(plainHosts: plainHosts, credentials: try await login(for: host))
    }

    static func login(for registry: String) async throws -> RegistryLogin? {
        switch try await DockerCredentials(directory: directory()).credentials(for: registry) {
        case .password(let user, let password): RegistryLogin(.password(user: user, password: password))
        case .identityToken(let token): RegistryLogin(.identityToken(token))
        case nil: nil
        }
    }

    /// Docker's own rule: $DOCKER_CONFIG, or ~/.docker. Without either there is no such directory, and nothing in it.
    static func directory() -> String {
        if let directory = OwnProcess.variable("DOCKER_CONFIG"), !directory.isEmpty { return directory }
        return (OwnProcess.variable("HOME") ?? "") + "/.docker"
    }
}
