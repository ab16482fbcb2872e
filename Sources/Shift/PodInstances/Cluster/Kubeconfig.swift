internal import JSON
import Linux
internal import Yams

/// The part of a kubeconfig that its current context means: where a cluster is and who we are there.
///
/// Read is what Forkless and the usual installers write: certificates and keys inline or as files, tokens inline or as a
/// file. Programs that make credentials (`exec`, `auth-provider`), user names with passwords and proxies are refused.
package struct Kubeconfig: Hashable, Sendable {
    package enum Credential: Hashable, Sendable {
        /// PEM.
        case certificate(chain: [UInt8], key: [UInt8])
        case token(String)
        case none
    }

    /// "https://127.0.0.1:6443"
    package var server: String
    /// PEM; nil: those that the machine trusts.
    package var authority: [UInt8]?
    /// The name that the server's certificate must say; nil: that of the address.
    package var serverName: String?
    package var credential: Credential
    package var namespace: String

    /// More than any kubeconfig has.
    static let bytesLimit = 1 << 20

    /// - Throws: `ClusterFailure` that names the file and the field.
    package static func read(_ path: String) throws(ClusterFailure) -> Kubeconfig {
        let bytes: [UInt8]
        do { bytes = try Files.read(path, limit: bytesLimit) } catch { throw ClusterFailure("read \(path): \(error)") }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return try Kubeconfig(bytes, name: path) { file throws(ClusterFailure) in
            let whole = file.hasPrefix("/") ? file : "\(directory)/\(file)"
            do { return try Files.read(whole, limit: bytesLimit) } catch {
                throw ClusterFailure("\(path): read \(whole): \(error)")
            }
        }
    }

    /// A kubeconfig that holds all that it needs.
    package static func read(text: String) throws(ClusterFailure) -> Kubeconfig {
        try Kubeconfig(Array(text.utf8), name: "the kubeconfig") { file throws(ClusterFailure) in
            throw ClusterFailure("the kubeconfig names the file \(file)")
        }
    }

    /// - Parameter file: reads a file that the text names.
    init(
        _ bytes: [UInt8], name: String, file: (String) throws(ClusterFailure) -> [UInt8]
    ) throws(ClusterFailure) {
        let text = String(decoding: bytes, as: UTF8.self)
        // An alias could make a short text long.
        guard !text.split(separator: "\n").contains(where: { $0.contains(": &") || $0.contains("- &") }) else {
            throw ClusterFailure("\(name): anchors are not read; write the value twice")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw ClusterFailure("\(name): not YAML: \(error)") }
        guard let root, let context = root["current-context"]?.string, !context.isEmpty else {
            throw ClusterFailure("\(name): it has no current-context: choose one with kubectl config use-context")
        }
        let chosen = try Self.entry("contexts", "context", context, root, name)
        let cluster = try Self.entry("clusters", "cluster", chosen["cluster"]?.string ?? "", root, name)
        let user = try Self.entry("users", "user", chosen["user"]?.string ?? "", root, name)
        func material(_ field: String, _ node: Node) throws(ClusterFailure) -> [UInt8]? {
            if let data = node["\(field)-data"]?.string {
                guard let bytes = Base64.bytes(data) else {
                    throw ClusterFailure("\(name): \(field)-data is not base64")
                }
                return bytes
            }
            guard let path = node[field]?.string, !path.isEmpty else { return nil }
            return try file(path)
        }
        for refused in ["exec", "auth-provider", "username"] where user[refused] != nil {
            throw ClusterFailure(
                "\(name): the user has \(refused), which is not read: use a client certificate or a token")
        }
        for refused in ["insecure-skip-tls-verify", "proxy-url"]
        where cluster[refused] != nil && cluster[refused]?.bool != false {
            throw ClusterFailure(
                "\(name): the cluster has \(refused), which is not taken: name its certificate-authority")
        }
        guard let server = cluster["server"]?.string, server.hasPrefix("https://") else {
            throw ClusterFailure("\(name): the cluster's server is no https:// address")
        }
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        authority = try material("certificate-authority", cluster)
        serverName = cluster["tls-server-name"]?.string
        if let chain = try material("client-certificate", user), let key = try material("client-key", user) {
            credential = .certificate(chain: chain, key: key)
        } else if let token = user["token"]?.string {
            credential = .token(token)
        } else if let path = user["tokenFile"]?.string {
            let token = String(decoding: try file(path), as: UTF8.self)
            credential = .token(String(token.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()))
        } else {
            credential = .none
        }
        namespace = chosen["namespace"]?.string ?? "default"
    }

    private static func entry(
        _ list: String, _ field: String, _ wanted: String, _ root: Node, _ name: String
    ) throws(ClusterFailure) -> Node {
        for entry in root[list]?.array() ?? [] where entry["name"]?.string == wanted {
            if let value = entry[field] { return value }
        }
        throw ClusterFailure("\(name): its \(list) have no \"\(wanted)\"")
    }
}
