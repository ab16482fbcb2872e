internal import JSON

/// What a registry is told about who asks.
package enum Credentials: Hashable, Sendable {
    case password(user: String, password: String)
    /// A refresh token, which only the token service takes (Docker's "identitytoken").
    case identityToken(String)

    /// The Authorization header of basic authentication, RFC 7617; nil for a token.
    var basic: String? {
        guard case .password(let user, let password) = self else { return nil }
        return "Basic " + Base64.text(Array("\(user):\(password)".utf8))
    }
}

/// Knows the credentials for registries.
package protocol CredentialSource: Sendable {
    /// nil: none, the registry is asked anonymously.
    ///
    /// - Parameter registry: the host as references name it, with its port.
    func credentials(for registry: String) async throws(RegistryFailure) -> Credentials?
}

/// The credentials that somebody has found already, or none.
package struct KnownCredentials: CredentialSource {
    private let table: [String: Credentials]

    package init(_ table: [String: Credentials] = [:]) { self.table = table }

    package func credentials(for registry: String) async throws(RegistryFailure) -> Credentials? { table[registry] }
}
