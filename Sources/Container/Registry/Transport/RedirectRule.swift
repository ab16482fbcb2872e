/// Which redirects are followed, and what goes along.
///
/// Invariants
/// 1. Credentials never reach another origin than the one they were made for, not even by way of a redirect back.
///    (tests: `CVE-2020-15157: a redirect to another host carries no credentials`, `credentials that were dropped do not come back`)
/// 2. Nothing goes over plain HTTP to a host that was not named for it.
///    (test: `a redirect to plain HTTP is refused unless the host was named`)
/// 3. Redirects end. (test: `a registry that redirects for ever is given up`)
package struct RedirectRule: Hashable, Sendable {
    /// How many redirects one exchange may take. Registries use one, to the place where their blobs are stored.
    package static let limit = 5

    /// Hosts with their ports ("HOST[:PORT]") that are spoken to without TLS.
    package var plainHosts: Set<String>

    package init(plainHosts: Set<String>) { self.plainHosts = Set(plainHosts.map { $0.lowercased() }) }

    /// Whether a status is a redirect that names where to ask instead (RFC 9110 section 15.4).
    package static func isRedirect(_ status: Int) -> Bool { [301, 302, 303, 307, 308].contains(status) }

    /// One step of an exchange: where to, and with which credentials.
    package struct Step: Hashable, Sendable {
        package var address: WebAddress
        package var authorization: String?

        package init(address: WebAddress, authorization: String?) {
            self.address = address
            self.authorization = authorization
        }
    }

    /// Where a redirect leads.
    ///
    /// - Parameter count: how many redirects there were, this one included.
    package func next(after step: Step, location: String?, count: Int) throws(RegistryFailure) -> Step {
        guard count <= Self.limit else {
            throw RegistryFailure(
                .untrustworthy, "\(step.address.authority) redirects more than \(Self.limit) times: given up")
        }
        guard let location, let address = step.address.resolving(location) else {
            throw RegistryFailure(
                .untrustworthy,
                "\(step.address.authority) redirects to \((location ?? "").debugDescription), which is no http address")
        }
        try check(address)
        return Step(
            address: address, authorization: address.origin == step.address.origin ? step.authorization : nil)
    }

    /// Refuses an address that would be spoken to in the clear without having been named for it.
    package func check(_ address: WebAddress) throws(RegistryFailure) {
        guard !address.isSecure, !isPlain(address) else { return }
        throw RegistryFailure(
            .denied,
            "\(address.authority) would be reached without encryption. If that is meant, name it: --plain-http "
                + address.authority)
    }

    /// Whether a registry, as references name it, was named for plain HTTP.
    func isPlain(registry: String) -> Bool { WebAddress(registry: registry, isSecure: false).map(isPlain) ?? false }

    private func isPlain(_ address: WebAddress) -> Bool {
        plainHosts.contains(address.authority) || plainHosts.contains("\(address.host):\(address.port)")
    }
}
