import Engine
import OCI

/// What a node is told of registries when it is started.
package struct RegistrySettings: Hashable, Sendable {
    /// Where Docker's users put the certificates of their registries.
    package static let usualCertificates = "/etc/docker/certs.d"

    /// The registry of names without a host; nil: such names are local only.
    package var usual: String?
    /// Registries without TLS.
    package var plainHosts: [String]
    /// A directory with HOST[:PORT]/*.crt for registries whose certificates the system does not trust.
    package var certificates: String
    /// SSL_CERT_FILE: certificates to trust instead of the system's.
    package var roots: String?

    package init(
        usual: String? = nil, plainHosts: [String] = [], certificates: String = RegistrySettings.usualCertificates,
        roots: String? = nil
    ) {
        self.usual = usual
        self.plainHosts = plainHosts
        self.certificates = certificates
        self.roots = roots
    }

    func validated(_ absolute: (String) -> String) throws(NodeSettingsError) -> RegistrySettings {
        if let usual { try Self.check(usual, flag: "--registry") }
        for host in plainHosts { try Self.check(host, flag: "--plain-http") }
        var settings = self
        settings.certificates = absolute(certificates)
        settings.roots = roots.map(absolute)
        return settings
    }

    /// A host as references name it, without a scheme or path.
    package static func check(_ host: String, flag: String) throws(NodeSettingsError) {
        guard (try? Reference("\(host)/name"))?.host == host || isPlainName(host) else {
            throw NodeSettingsError("\(flag) \(host): this is no host of a registry. Write HOST or HOST:PORT.")
        }
    }

    /// "registry", a name of the local network: as part of a reference it would need a port.
    private static func isPlainName(_ host: String) -> Bool {
        (try? Reference("\(host):1/name"))?.host == "\(host):1"
    }

    var view: NodeRegistries { NodeRegistries(usual: usual, plainHosts: plainHosts) }
}
