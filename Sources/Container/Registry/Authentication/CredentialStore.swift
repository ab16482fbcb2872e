import JSON
import Linux
import Spawn

extension DockerCredentials {
    /// Where credentials were put, or taken from.
    package enum Keeping: Hashable, Sendable {
        /// In Docker's config.json, where whoever can read the file can read them.
        case file(String)
        /// With this helper program.
        case helper(String)
    }

    /// Keeps credentials for a registry where Docker would: with the helper that config.json names, else in the file.
    package func store(
        _ credentials: Credentials, for registry: String
    ) async throws(RegistryFailure) -> Keeping {
        guard case .password(let user, let password) = credentials else {
            throw RegistryFailure(.unsupported, "keep the credentials of \(registry): a token is not a user's to give")
        }
        if let helper = try helper(for: registry) {
            let json: JSONValue = [
                "ServerURL": .string(registry), "Username": .string(user), "Secret": .string(password),
            ]
            try await tell(helper, "store", JSONWriter.text(json), registry)
            return .helper(helper)
        }
        try change { json in
            var auths = json["auths"] ?? .object([:])
            auths[registry] = ["auth": .string(Base64.text(Array("\(user):\(password)".utf8)))]
            json["auths"] = auths
        }
        return .file(path)
    }

    /// Forgets the credentials for a registry; nil when there were none.
    package func erase(_ registry: String) async throws(RegistryFailure) -> Keeping? {
        guard try await credentials(for: registry) != nil else { return nil }
        if let helper = try helper(for: registry) {
            try await tell(helper, "erase", registry, registry)
            return .helper(helper)
        }
        try change { json in
            guard var auths = json["auths"], case .object(let object) = auths else { return }
            for member in object.members where DockerConfig.host(member.key) == registry { auths[member.key] = nil }
            json["auths"] = auths
        }
        return .file(path)
    }

    private func helper(for registry: String) throws(RegistryFailure) -> String? {
        guard case .helper(let name, _) = try config().place(of: registry) else { return nil }
        return "docker-credential-\(name)"
    }

    private func tell(
        _ program: String, _ word: String, _ input: String, _ registry: String
    ) async throws(RegistryFailure) {
        let result = try await run(program, word, input: input)
        guard result.status == .exited(0), !result.timedOut else {
            throw RegistryFailure(
                .denied, "let \(program) \(word) the credentials of \(registry): it ended with \(result.status)")
        }
    }

    /// Changes the file as a whole, and in it nothing but what `change` does.
    private func change(_ change: (inout JSONValue) -> Void) throws(RegistryFailure) {
        do {
            var json = JSONValue.object([:])
            if Files.exists(path) {
                json = try JSONParser.parse(try Files.read(path))
            } else {
                let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                try Files.makeDirectories(directory.joined(separator: "/"), mode: 0o700)
            }
            change(&json)
            try Files.replace(path, with: JSONWriter.bytes(json, .indented(2)) + [10], mode: 0o600)
        } catch { throw RegistryFailure(.badRequest, "write \(path): \(error)") }
    }
}
