import ArgumentParser
import Daemon

/// What a node is told of registries.
struct NodeRegistryFlags: ParsableArguments {
    @Option(
        name: .customLong("registry"),
        help: ArgumentHelp(
            "Where images come from whose names have no host (or FORKLESS_REGISTRY).", valueName: "host[:port]"))
    var registry: String?

    @Option(
        name: .customLong("plain-http"),
        help: ArgumentHelp("Speak to this registry without TLS; can be given again.", valueName: "host[:port]"))
    var plainHosts: [String] = []

    @Option(
        name: .customLong("registry-certs"),
        help: ArgumentHelp(
            "Certificates of registries, HOST[:PORT]/*.crt (or FORKLESS_REGISTRY_CERTS). SSL_CERT_FILE is heeded, too.",
            valueName: "dir"))
    var certificates: String?

    /// Flags come before variables; an empty variable counts as unset.
    func settings(_ variable: (String) -> String?) throws(FlagError) -> RegistrySettings {
        func set(_ name: String) -> String? { variable(name).flatMap { $0.isEmpty ? nil : $0 } }
        for (flag, value) in [("--registry", registry), ("--registry-certs", certificates)] where value == "" {
            throw FlagError(flag, "", "the value is empty")
        }
        return RegistrySettings(
            usual: registry ?? set("FORKLESS_REGISTRY"), plainHosts: plainHosts,
            certificates: certificates ?? set("FORKLESS_REGISTRY_CERTS") ?? RegistrySettings.usualCertificates,
            roots: set("SSL_CERT_FILE"))
    }

    /// The flags that say the same; SSL_CERT_FILE is in the environment, which a node in the background inherits.
    static func words(_ settings: RegistrySettings) -> [String] {
        (settings.usual.map { ["--registry", $0] } ?? []) + settings.plainHosts.flatMap { ["--plain-http", $0] }
            + ["--registry-certs", settings.certificates]
    }
}
