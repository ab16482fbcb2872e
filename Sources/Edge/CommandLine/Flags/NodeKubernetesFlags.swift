import ArgumentParser
import Daemon
import Linux

/// What a node is told of its Kubernetes door.
struct NodeKubernetesFlags: ParsableArguments {
    @Option(
        name: .customLong("kubernetes-listen"),
        help: ArgumentHelp(
            "Where the Kubernetes API is served, or `off` (default: 127.0.0.1:6443; or FORKLESS_KUBERNETES_LISTEN).",
            valueName: "host:port|off"))
    var api: String?

    @Option(
        name: .customLong("ingress-listen"),
        help: ArgumentHelp(
            "Where Ingresses are served over HTTP, or `off` (default: 127.0.0.1:7080; or FORKLESS_INGRESS_LISTEN).",
            valueName: "host:port|off"))
    var ingress: String?

    @Option(
        name: .customLong("ingress-tls-listen"),
        help: ArgumentHelp(
            "Where Ingresses are served over HTTPS, or `off` (default: 127.0.0.1:7443; or FORKLESS_INGRESS_TLS_LISTEN).",
            valueName: "host:port|off"))
    var secureIngress: String?

    @Option(
        name: .customLong("pod-network"),
        help: ArgumentHelp(
            "The addresses of pods (default: 10.244.0.0/16; or FORKLESS_POD_NETWORK).", valueName: "subnet"))
    var pods: String?

    @Option(
        name: .customLong("service-network"),
        help: ArgumentHelp(
            "The addresses of services (default: 10.96.0.0/16; or FORKLESS_SERVICE_NETWORK).", valueName: "subnet"))
    var services: String?

    /// Flags come before variables; an empty variable counts as unset.
    func settings(_ variable: (String) -> String?) throws(FlagError) -> KubeSettings {
        func set(_ name: String) -> String? { variable(name).flatMap { $0.isEmpty ? nil : $0 } }
        return KubeSettings(
            api: try ListenFlag.parse(api ?? set("FORKLESS_KUBERNETES_LISTEN"), "--kubernetes-listen", KubeSettings.usualAPI),
            ingress: try ListenFlag.parse(
                ingress ?? set("FORKLESS_INGRESS_LISTEN"), "--ingress-listen", KubeSettings.usualIngress),
            secureIngress: try ListenFlag.parse(
                secureIngress ?? set("FORKLESS_INGRESS_TLS_LISTEN"), "--ingress-tls-listen",
                KubeSettings.usualSecureIngress),
            pods: try Self.subnet(pods ?? set("FORKLESS_POD_NETWORK"), "--pod-network", KubeSettings.usualPods),
            services: try Self.subnet(
                services ?? set("FORKLESS_SERVICE_NETWORK"), "--service-network", KubeSettings.usualServices))
    }

    private static func subnet(_ text: String?, _ flag: String, _ usual: Subnet) throws(FlagError) -> Subnet {
        guard let text else { return usual }
        guard let subnet = Subnet(text) else {
            throw FlagError(flag, text, "not a network", advice: "Write an address and its bits, such as \(usual).")
        }
        return subnet
    }

    /// The flags that say the same.
    static func words(_ settings: KubeSettings) -> [String] {
        ListenFlag.words("--kubernetes-listen", settings.api) + ListenFlag.words("--ingress-listen", settings.ingress)
            + ListenFlag.words("--ingress-tls-listen", settings.secureIngress)
            + (settings.pods == KubeSettings.usualPods ? [] : ["--pod-network", "\(settings.pods)"])
            + (settings.services == KubeSettings.usualServices ? [] : ["--service-network", "\(settings.services)"])
    }
}
