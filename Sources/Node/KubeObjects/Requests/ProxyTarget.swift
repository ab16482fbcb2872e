/// Where a request for an object's `proxy` is passed on to.
package struct ProxyTarget: Hashable, Sendable {
    package var isSecure: Bool
    /// An IP address.
    package var host: String
    package var port: UInt16
    /// The path that stands for the target's "/": "/api/v1/namespaces/default/pods/web:80/proxy".
    package var prefix: String
    /// How many parts of the request's path that is, as they came.
    package var prefixParts: Int

    package init(isSecure: Bool, host: String, port: UInt16, prefix: String, prefixParts: Int) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.prefix = prefix
        self.prefixParts = prefixParts
    }

    /// "10.244.0.7:80", "[fd00::7]:80"
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
