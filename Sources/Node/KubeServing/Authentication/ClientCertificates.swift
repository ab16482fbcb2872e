internal import Crypto
import KubeObjects
internal import SwiftASN1
internal import Synchronization
internal import X509

/// Users by certificate: the common name is the user, each organisation a group. The authority's own only, issued by it
/// directly, for clients.
///
/// Invariants (tests in ClientCertificateTests):
/// 1. A certificate that another authority issued, that is no client's, or that is not valid now names nobody
///    (`a certificate of a stranger, of a server or of another time names nobody`).
/// 2. What is remembered is bounded, and time is looked at again each time
///    (`a certificate that ended since is refused`).
final class ClientCertificates: Sendable {
    private static let remembered = 1024

    private struct Known: Sendable {
        /// nil: it names nobody, whatever the time.
        var user: UserInfo?
        var begin: Int64
        var end: Int64
    }

    private let authority: CertificateAuthority
    private let known = Mutex<[[UInt8]: Known]>([:])

    init(_ authority: CertificateAuthority) { self.authority = authority }

    /// nil: it names nobody.
    func user(_ certificate: [UInt8], at now: Int64) -> UserInfo? {
        let known = known.withLock { $0[certificate] } ?? learn(certificate)
        return known.begin <= now && now <= known.end ? known.user : nil
    }

    private func learn(_ bytes: [UInt8]) -> Known {
        let read = Self.read(bytes, authority)
        known.withLock {
            if $0.count >= Self.remembered { $0.removeAll() }
            $0[bytes] = read
        }
        return read
    }

    private static func read(_ bytes: [UInt8], _ authority: CertificateAuthority) -> Known {
        let nobody = Known(user: nil, begin: .max, end: .min)
        guard bytes.count <= 64 << 10, let certificate = try? Certificate(derEncoded: bytes),
            certificate.issuer == authority.certificate.subject,
            authority.certificate.publicKey.isValidSignature(certificate.signature, for: certificate),
            let usages = try? certificate.extensions.extendedKeyUsage, usages.contains(where: { $0 == .clientAuth })
        else { return nobody }
        var names: [String] = []
        var groups: [String] = []
        for attribute in certificate.subject.lazy.flatMap({ $0 }) {
            guard let value = String(attribute.value) else { continue }
            if attribute.type == .RDNAttributeType.commonName { names.append(value) }
            if attribute.type == .RDNAttributeType.organizationName { groups.append(value) }
        }
        // As Go reads several names: the last one.
        guard let name = names.last, !name.isEmpty else { return nobody }
        let digest = SHA256.hash(data: bytes).map { NodeAuthority.hexadecimal(UInt64($0)).suffix(2) }.joined()
        return Known(
            user: UserInfo(
                name: name, groups: groups,
                extra: ["authentication.kubernetes.io/credential-id": ["X509SHA256=\(digest)"]]),
            begin: CertificateAuthority.seconds(certificate.notValidBefore),
            end: CertificateAuthority.seconds(certificate.notValidAfter))
    }
}
