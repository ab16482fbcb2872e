internal import Crypto
internal import FoundationEssentials
internal import Linux
internal import SwiftASN1
internal import X509

/// A private authority: a self-signed certificate and its key (ECDSA, P-256), and what is issued under it.
///
/// A certificate is valid from a day before it was made: a machine whose clock runs a little ahead of its clients', or
/// is set back afterwards, is still believed.
struct CertificateAuthority: Sendable {
    /// Before the making, seconds.
    static let slack: Int64 = 86_400
    static let authorityLife: Int64 = 3650 * 86_400
    static let servingLife: Int64 = 365 * 86_400

    let certificate: Certificate
    private let key: P256.Signing.PrivateKey

    /// Makes one.
    static func make(at now: Int64) throws -> CertificateAuthority {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("forkless-ca") }
        let identifier = SubjectKeyIdentifier(hash: .init(key.publicKey))
        let certificate = try Certificate(
            version: .v3, serialNumber: Self.serial(), publicKey: .init(key.publicKey),
            notValidBefore: Self.date(now - slack), notValidAfter: Self.date(now + authorityLife), issuer: name,
            subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                identifier
            }, issuerPrivateKey: .init(key))
        return CertificateAuthority(certificate: certificate, key: key)
    }

    private init(certificate: Certificate, key: P256.Signing.PrivateKey) {
        self.certificate = certificate
        self.key = key
    }

    /// - Throws: when the text is no authority: another key, no authority at all.
    init(_ pair: PEMPair) throws {
        certificate = try Certificate(pemEncoded: pair.certificate)
        key = try P256.Signing.PrivateKey(pemRepresentation: pair.key)
        guard certificate.publicKey == .init(key.publicKey) else {
            throw AuthorityFailure("the key is not that of the certificate")
        }
        guard case .isCertificateAuthority? = try certificate.extensions.basicConstraints else {
            throw AuthorityFailure("the certificate is not an authority's")
        }
    }

    func pair() throws -> PEMPair {
        PEMPair(certificate: try certificate.serializeAsPEM().pemString, key: key.pemRepresentation)
    }

    /// The certificate that the door shows.
    func serving(_ names: ServingNames, at now: Int64) throws -> PEMPair {
        try issue(
            try DistinguishedName { CommonName("kube-apiserver") }, [.serverAuth], at: now, life: Self.servingLife,
            alternatives: names.names.map { .dnsName($0) }
                + names.addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0.bytes[...])) })
    }

    /// A client's certificate: the user as common name, a group as each organisation.
    func client(user: String, groups: [String], at now: Int64, life: Int64) throws -> PEMPair {
        let organizations = groups.map {
            RelativeDistinguishedName(.init(type: .RDNAttributeType.organizationName, utf8String: $0))
        }
        let name = RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: user))
        return try issue(
            DistinguishedName(organizations + [name]), [.clientAuth], at: now, life: life, alternatives: [])
    }

    private func issue(
        _ subject: DistinguishedName, _ usages: [ExtendedKeyUsage.Usage], at now: Int64, life: Int64,
        alternatives: [GeneralName]
    ) throws -> PEMPair {
        let own = P256.Signing.PrivateKey()
        // Nothing outlives the authority, and nothing is older than it.
        let begin = max(Self.date(now - Self.slack), certificate.notValidBefore)
        let end = min(Self.date(now + life), certificate.notValidAfter)
        let authority = SubjectKeyIdentifier(hash: certificate.publicKey)
        let issued = try Certificate(
            version: .v3, serialNumber: Self.serial(), publicKey: .init(own.publicKey), notValidBefore: begin,
            notValidAfter: max(begin, end), issuer: certificate.subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage(usages)
                SubjectKeyIdentifier(hash: .init(own.publicKey))
                AuthorityKeyIdentifier(keyIdentifier: authority.keyIdentifier)
                if !alternatives.isEmpty { SubjectAlternativeNames(alternatives) }
            }, issuerPrivateKey: .init(key))
        return PEMPair(certificate: try issued.serializeAsPEM().pemString, key: own.pemRepresentation)
    }

    /// 120 random bits, positive.
    private static func serial() -> Certificate.SerialNumber {
        var random = SystemRandomNumberGenerator()
        return Certificate.SerialNumber(bytes: [0x01] + (0..<15).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    static func date(_ seconds: Int64) -> Date { Date(timeIntervalSince1970: Double(seconds)) }
    static func seconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970) }
}

/// What a certificate on disk says, as far as its renewal depends on it.
struct CertificateContent {
    let end: Int64
    let names: Set<String>
    let addresses: Set<[UInt8]>

    /// - Throws: when the pair is no certificate with its key that `authority` has issued.
    init(_ pair: PEMPair, of authority: CertificateAuthority) throws {
        let certificate = try Certificate(pemEncoded: pair.certificate)
        let key = try P256.Signing.PrivateKey(pemRepresentation: pair.key)
        guard certificate.publicKey == .init(key.publicKey) else {
            throw AuthorityFailure("the key is not that of the certificate")
        }
        guard authority.certificate.publicKey.isValidSignature(certificate.signature, for: certificate) else {
            throw AuthorityFailure("another authority has issued it")
        }
        end = CertificateAuthority.seconds(certificate.notValidAfter)
        var names: Set<String> = []
        var addresses: Set<[UInt8]> = []
        for alternative in try certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames() {
            switch alternative {
            case .dnsName(let name): names.insert(name)
            case .ipAddress(let bytes): addresses.insert(Array(bytes.bytes))
            default: break
            }
        }
        self.names = names
        self.addresses = addresses
    }

    func isFor(_ wanted: ServingNames) -> Bool {
        names == Set(wanted.names) && addresses == Set(wanted.addresses.map(\.bytes))
    }
}
