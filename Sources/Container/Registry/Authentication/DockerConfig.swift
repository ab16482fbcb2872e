import JSON

/// The part of Docker's config.json that says where credentials are: `auths`, `credsStore`, `credHelpers`.
///
/// Everything else in the file is somebody else's business and is passed over.
///
/// Invariants
/// 1. A helper's name is part of a program's name and cannot lead anywhere else.
///    (test: `a credential helper cannot be named by a path`)
package struct DockerConfig: Hashable, Sendable {
    package var credentials: [String: Credentials] = [:]
    package var store: String?
    package var helpers: [String: String] = [:]

    /// Where the credentials for a registry are.
    package enum Place: Hashable, Sendable {
        case none
        case here(Credentials)
        /// `docker-credential-NAME`, to be asked for `server`.
        case helper(name: String, server: String)
    }

    package init() {}

    /// Reads the file's text.
    ///
    /// - Parameter path: for messages.
    package init(_ bytes: [UInt8], path: String) throws(RegistryFailure) {
        do {
            var reader = try JSONObjectReader(try JSONParser.parse(bytes))
            store = try reader.optional("credsStore")
            helpers = try reader.dictionary("credHelpers")
            let entries: JSONObject? = try reader.optional("auths")
            for member in entries?.members ?? [] {
                var entry = try JSONObjectReader(member.value, path: "auths.\(member.key)")
                credentials[Self.host(member.key)] = try Self.credentials(&entry)
            }
        } catch {
            throw RegistryFailure(.badRequest, "read the credentials in \(path): \(error)")
        }
        for name in helpers.values.sorted() + [store].compactMap({ $0 }) where !Self.isHelperName(name) {
            throw RegistryFailure(
                .badRequest, "read the credentials in \(path): \(name.debugDescription) cannot name a credential helper"
            )
        }
    }

    /// A helper for the registry comes first, then the store for all, then what the file holds itself: Docker's order.
    package func place(of registry: String) -> Place {
        if let name = helpers[registry], !name.isEmpty { return .helper(name: name, server: registry) }
        if let store, !store.isEmpty { return .helper(name: store, server: registry) }
        return credentials[registry].map { .here($0) } ?? .none
    }

    private static func credentials(_ entry: inout JSONObjectReader) throws(JSONShapeError) -> Credentials? {
        if let token: String = try entry.optional("identitytoken"), !token.isEmpty { return .identityToken(token) }
        if let auth: String = try entry.optional("auth"), !auth.isEmpty {
            guard let bytes = Base64.bytes(auth), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
                throw entry.error("auth", "expected USER:PASSWORD in base64")
            }
            // Docker pads with NULs what an old version wrote.
            let password = bytes[(colon + 1)...].prefix { $0 != 0 }
            return .password(
                user: String(decoding: bytes[..<colon], as: UTF8.self),
                password: String(decoding: password, as: UTF8.self))
        }
        guard let user: String = try entry.optional("username"), !user.isEmpty else { return nil }
        return .password(user: user, password: try entry.optional("password") ?? "")
    }

    /// Keys were addresses once: "https://host/v1/" means "host".
    static func host(_ key: String) -> String {
        var rest = Substring(key)
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        return String(rest.prefix { $0 != "/" })
    }

    private static func isHelperName(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
        }
    }
}
