import JSON
import Linux
package import Spawn

/// Credentials from Docker's config.json and from the helper programs that it names.
package struct DockerCredentials: CredentialSource {
    /// Longer than any helper's answer.
    private static let answerBytesLimit = 64 << 10
    /// A helper may ask its user to unlock something.
    private static let patience = Duration.seconds(60)

    let path: String
    private let environment: Environment

    /// - Parameters:
    ///   - directory: Docker's own: $DOCKER_CONFIG, or ~/.docker. A missing file is one without credentials.
    ///   - environment: of the helpers, whose PATH they are looked up in.
    package init(directory: String, environment: Environment = .inherited) {
        path = "\(directory)/config.json"
        self.environment = environment
    }

    package func credentials(for registry: String) async throws(RegistryFailure) -> Credentials? {
        switch try config().place(of: registry) {
        case .none: return nil
        case .here(let credentials): return credentials
        case .helper(let name, let server): return try await ask("docker-credential-\(name)", server)
        }
    }

    func config() throws(RegistryFailure) -> DockerConfig {
        let bytes: [UInt8]
        do { bytes = try Files.read(path) } catch {
            if error.code == .noEntry { return DockerConfig() }
            throw RegistryFailure(.badRequest, "\(error)")
        }
        return try DockerConfig(bytes, path: path)
    }

    /// Asks a helper for what it has; nil when it has nothing.
    private func ask(_ program: String, _ server: String) async throws(RegistryFailure) -> Credentials? {
        let result = try await run(program, "get", input: "\(server)\n")
        guard result.status == .exited(0), !result.timedOut else {
            if result.text.contains("credentials not found") { return nil }
            // Not its standard output: a secret may be in it.
            throw RegistryFailure(
                .denied,
                "ask \(program) for the credentials of \(server): "
                    + (result.timedOut ? "no answer within \(Self.patience)" : "it ended with \(result.status)"))
        }
        do {
            var reader = try JSONObjectReader(try JSONParser.parse(result.output))
            let user: String = try reader.required("Username")
            let secret: String = try reader.required("Secret")
            return user == "<token>" ? .identityToken(secret) : .password(user: user, password: secret)
        } catch {
            throw RegistryFailure(.denied, "ask \(program) for the credentials of \(server): \(error)")
        }
    }

    /// The protocol of docker-credential-helpers: a word of what to do, the matter on standard input, JSON on standard
    /// output.
    func run(_ program: String, _ word: String, input: String) async throws(RegistryFailure) -> RunResult {
        do {
            var options = Options()
            options.environment = environment
            options.group = .own
            return try await Template(.name(program), arguments: [word], options: options).run(
                input: .bytes(Array(input.utf8)), timeout: Self.patience, outputBytesLimit: Self.answerBytesLimit)
        } catch {
            throw RegistryFailure(.denied, "ask the credential helper that \(path) names: \(error)")
        }
    }
}
