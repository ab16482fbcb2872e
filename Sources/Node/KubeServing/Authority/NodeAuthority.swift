internal import Crypto
package import HTTPServing
import Linux
internal import Synchronization
internal import X509

/// What the node is known by and knows others by: its private authority, the door's certificate, the keys of service
/// accounts' tokens and the administrator's token. Made at the first start, read at every other.
package final class NodeAuthority: Sendable {
    /// The serving certificate is made anew when less than this is left of it, seconds.
    static let renewal: Int64 = 120 * 86_400

    /// The certificate that clients verify the door by, PEM.
    package let authorityCertificate: String
    /// What is to be said at the start: a clock that is not believed, an authority that is about to end.
    package let warnings: [String]
    /// Signs and verifies the tokens of service accounts.
    let tokenKeys: TokenKeys
    /// The administrator's bearer token.
    package let administratorToken: String
    /// What a listener serves TLS with.
    package let identity: TLSIdentity

    let authority: CertificateAuthority
    private let files: AuthorityFiles
    private let names: Mutex<ServingNames>
    private let servingEnd: Mutex<Int64>
    private let now: @Sendable () -> Int64

    /// Opens or makes what is in a directory. It blocks on the disk: call it on `BlockingPool`, or use `open`.
    ///
    /// - Parameter now: seconds since 1970.
    package init(
        directory: String, names: ServingNames, now: @escaping @Sendable () -> Int64 = NodeAuthority.clock
    ) throws(AuthorityFailure) {
        let files = AuthorityFiles(directory: directory)
        try files.prepare()
        let moment = now()
        let authority = try Self.authority(files, at: moment)
        tokenKeys = try Self.tokenKeys(files)
        administratorToken = try Self.administratorToken(files)
        let serving = try Self.serving(files, authority, names, at: moment)
        let authorityCertificate = try Self.translated("read the authority") { try authority.pair().certificate }
        try files.publish(authority: authorityCertificate)
        do throws(HTTPServingFailure) {
            identity = try TLSIdentity(
                chain: Array(serving.pair.certificate.utf8), privateKey: Array(serving.pair.key.utf8),
                clientAuthorities: Array(authorityCertificate.utf8))
        } catch { throw files.broken(.serving, error) }
        self.authority = authority
        self.authorityCertificate = authorityCertificate
        warnings = Self.warnings(authority, at: moment)
        servingEnd = Mutex(serving.end)
        self.files = files
        self.names = Mutex(names)
        self.now = now
    }

    /// The same, from a task.
    package static func open(
        directory: String, names: ServingNames, now: @escaping @Sendable () -> Int64 = NodeAuthority.clock
    ) async throws(AuthorityFailure) -> NodeAuthority {
        let made: Result<NodeAuthority, AuthorityFailure>
        do throws(SystemError) {
            made = try await BlockingPool.shared.run {
                Result { () throws(AuthorityFailure) in try NodeAuthority(directory: directory, names: names, now: now)
                }
            }
        } catch { throw AuthorityFailure("open the node's keys: \(error)") }
        return try made.get()
    }

    package static let clock: @Sendable () -> Int64 = { Int64(Clock.now().nanoseconds / 1_000_000_000) }

    /// Makes the door's certificate anew if it ends soon or its names have changed. It blocks on the disk.
    ///
    /// - Returns: whether it did. Connections made afterwards see the new one.
    @discardableResult
    package func renewIfDue(names wanted: ServingNames? = nil) throws(AuthorityFailure) -> Bool {
        if let wanted { names.withLock { $0 = wanted } }
        let moment = now()
        let serving = try Self.serving(files, authority, names.withLock { $0 }, at: moment)
        guard serving.isNew else { return false }
        do throws(HTTPServingFailure) {
            try identity.renew(
                chain: Array(serving.pair.certificate.utf8), privateKey: Array(serving.pair.key.utf8),
                clientAuthorities: Array(authorityCertificate.utf8))
        } catch { throw files.broken(.serving, error) }
        servingEnd.withLock { $0 = serving.end }
        return true
    }

    /// When the door's certificate ends, seconds since 1970.
    package var servingCertificateEnd: Int64 { servingEnd.withLock { $0 } }

    /// Makes a client's certificate.
    ///
    /// - Parameter life: seconds; it never outlives the authority.
    package func clientCertificate(
        user: String, groups: [String], life: Int64 = CertificateAuthority.servingLife
    ) throws(AuthorityFailure) -> PEMPair {
        guard !user.isEmpty, life > 0 else {
            throw AuthorityFailure("make a certificate: it needs a user's name and a life of more than 0 s.")
        }
        return try Self.translated("make a certificate for \(user)") {
            try authority.client(user: user, groups: groups, at: now(), life: life)
        }
    }

    /// Makes a certificate of the same authority for another server of the node: the gateway's of ingresses, for hosts
    /// that nobody has given one. It is kept nowhere.
    package func serverCertificate(hosts: [String]) throws(AuthorityFailure) -> PEMPair {
        try Self.translated("make a certificate for a server") {
            try authority.serving(ServingNames(hosts: hosts, addresses: []), at: now())
        }
    }

    // MARK: What is on disk

    private static func authority(_ files: AuthorityFiles, at now: Int64) throws(AuthorityFailure)
        -> CertificateAuthority
    {
        if let text = try files.text(.authority) {
            do { return try CertificateAuthority(try PEMPair(file: text)) } catch {
                throw files.broken(.authority, error)
            }
        }
        let (made, text) = try translated("make the node's authority") {
            let made = try CertificateAuthority.make(at: now)
            return (made, try made.pair().fileText)
        }
        try files.write(text, .authority)
        return made
    }

    private static func tokenKeys(_ files: AuthorityFiles) throws(AuthorityFailure) -> TokenKeys {
        if let text = try files.text(.tokens) {
            do { return try TokenKeys(pem: text) } catch { throw files.broken(.tokens, error) }
        }
        let keys = TokenKeys.make()
        try files.write(keys.pem, .tokens)
        return keys
    }

    private static func administratorToken(_ files: AuthorityFiles) throws(AuthorityFailure) -> String {
        if let text = try files.text(.administrator) {
            let token = String(text.prefix { !$0.isNewline })
            guard token.utf8.count >= 32, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw files.broken(
                    .administrator, AuthorityFailure("its first line is no token of 32 characters or more"))
            }
            return token
        }
        var random = SystemRandomNumberGenerator()
        let token = (0..<4).map { _ in hexadecimal(UInt64.random(in: .min ... .max, using: &random)) }.joined()
        try files.write(token + "\n", .administrator)
        return token
    }

    static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static func serving(
        _ files: AuthorityFiles, _ authority: CertificateAuthority, _ names: ServingNames, at now: Int64
    ) throws(AuthorityFailure) -> (pair: PEMPair, end: Int64, isNew: Bool) {
        // One that cannot be read is no loss: nobody trusts it but by the authority.
        if let text = try files.text(.serving), let pair = try? PEMPair(file: text),
            let content = try? CertificateContent(pair, of: authority), content.isFor(names),
            content.end - now > renewal
                || content.end >= CertificateAuthority.seconds(authority.certificate.notValidAfter)
        {
            return (pair, content.end, false)
        }
        let (pair, end) = try translated("make the door's certificate") {
            let pair = try authority.serving(names, at: now)
            return (pair, try CertificateContent(pair, of: authority).end)
        }
        try files.write(pair.fileText, .serving)
        return (pair, end, true)
    }

    private static func warnings(_ authority: CertificateAuthority, at now: Int64) -> [String] {
        let begin = CertificateAuthority.seconds(authority.certificate.notValidBefore)
        let end = CertificateAuthority.seconds(authority.certificate.notValidAfter)
        if now < begin {
            return [
                "The machine's clock stands before the day on which the node's authority was made: clients with a "
                    + "right clock are not concerned, others will not trust it. Set the clock."
            ]
        }
        if now > end - renewal {
            return [
                "The node's authority ends within \(max(0, (end - now) / 86_400)) days, and with it every certificate. "
                    + "Remove its directory before then, and give every client a new kubeconfig."
            ]
        }
        return []
    }

    private static func translated<Value>(_ what: String, _ body: () throws -> Value) throws(AuthorityFailure) -> Value
    {
        do { return try body() } catch { throw AuthorityFailure("\(what): \(error)") }
    }
}
