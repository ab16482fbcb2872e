package import Linux

/// What clients may call the API by: the subject alternative names of its certificate.
package struct ServingNames: Hashable, Sendable {
    package var names: [String]
    package var addresses: [IPAddress]

    /// - Parameters:
    ///   - hosts: the node's names: `MachineName.current().node`.
    ///   - addresses: of the node, and of the service "kubernetes".
    ///   - domain: of the cluster.
    package init(hosts: [String], addresses: [IPAddress], domain: String = "cluster.local") {
        let fixed = [
            "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            "kubernetes.default.svc.\(domain)",
        ]
        // A name of another alphabet cannot stand in a certificate, and none that is a client's to use has one.
        let usable = hosts.filter {
            !$0.isEmpty && $0.utf8.count <= 253 && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
        names = Self.once(fixed + usable)
        self.addresses = Self.once([IPAddress("127.0.0.1")!, IPAddress("::1")!] + addresses)
    }

    private static func once<Element: Hashable>(_ elements: [Element]) -> [Element] {
        var seen: Set<Element> = []
        return elements.filter { seen.insert($0).inserted }
    }
}
