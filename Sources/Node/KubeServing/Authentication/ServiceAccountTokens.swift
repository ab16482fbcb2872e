internal import Crypto
internal import JSON
package import KubeObjects
internal import KubeSchema
import Linux
internal import Synchronization

/// Finds an object that a token names; nil when there is none.
package typealias TokenSubjectLookup =
    @Sendable (_ resource: Resource, _ namespace: String?, _ name: String) async throws(APIFailure) -> KubeObject?

/// Issues and reviews the tokens of service accounts: what KubeAPI's TokenRequest and TokenReview need, and what the
/// door knows pods by.
///
/// Invariants (tests in ServiceAccountTokenTests):
/// 1. A token is believed while the account it was issued to is there, by uid, and what it is bound to is too
///    (`a token ends with its account, its pod or its time`).
/// 2. What is remembered are signatures, not objects, and no more than a bound
///    (`a token ends with its account, its pod or its time`).
package final class ServiceAccountTokens: Sendable {
    package static let shortestLife: Int64 = 600
    package static let longestLife: Int64 = 1 << 32
    /// metav1 TokenRequestSpec.expirationSeconds when it is not set.
    package static let usualLife: Int64 = 3600
    /// For clocks that were set back since, seconds.
    private static let leeway: Int64 = 60
    private static let remembered = 4096

    package let issuer: String
    /// Of tokens for the API itself.
    package let audiences: [String]
    let keys: TokenKeys
    private let lookup: TokenSubjectLookup
    private let now: @Sendable () -> Int64
    private let verified = Mutex<[[UInt8]: TokenClaims]>([:])

    /// - Parameters:
    ///   - lookup: finds service accounts, pods, nodes and secrets.
    ///   - now: seconds since 1970.
    package init(
        authority: NodeAuthority, issuer: String = "https://kubernetes.default.svc.cluster.local",
        lookup: @escaping TokenSubjectLookup, now: @escaping @Sendable () -> Int64 = NodeAuthority.clock
    ) {
        keys = authority.tokenKeys
        self.issuer = issuer
        audiences = [issuer]
        self.lookup = lookup
        self.now = now
    }

    /// What a token is bound to besides its account: authenticationv1.BoundObjectReference.
    package enum Binding: Hashable, Sendable {
        /// `node` is told for information, where the pod has one; the end of the node ends no token of its pods.
        case pod(name: String, uid: String, node: String?)
        case node(name: String, uid: String)
        case secret(name: String, uid: String)
    }

    /// A token and when it ends.
    package struct Issued: Hashable, Sendable {
        package var token: String
        package var audiences: [String]
        /// Seconds since 1970: status.expirationTimestamp.
        package var expiry: Int64
    }

    /// Issues a token for a service account, whom the caller has found and may speak for.
    ///
    /// - Parameters:
    ///   - audiences: empty: the API's.
    ///   - life: seconds; nil: an hour.
    /// - Throws: 422 for a life below ten minutes or above 2^32 s.
    package func issue(
        _ account: KubeObject, audiences: [String] = [], life: Int64? = nil, binding: Binding? = nil
    ) throws(APIFailure) -> Issued {
        let life = life ?? Self.usualLife
        if life < Self.shortestLife { throw Self.invalidLife(life, "may not specify a duration less than 10 minutes") }
        if life > Self.longestLife {
            throw Self.invalidLife(life, "may not specify a duration larger than 2^32 seconds")
        }
        let moment = now()
        var claims = TokenClaims(
            issuer: issuer, audiences: audiences.isEmpty ? self.audiences : audiences, issuedAt: moment,
            notBefore: moment, expiry: moment + life, identifier: RandomIdentifier.text(),
            namespace: account.namespace ?? "", account: .init(name: account.name, uid: account.uid))
        switch binding {
        case .pod(let name, let uid, let node):
            claims.pod = .init(name: name, uid: uid)
            claims.node = node.map { .init(name: $0, uid: "") }
        case .node(let name, let uid): claims.node = .init(name: name, uid: uid)
        case .secret(let name, let uid): claims.secret = .init(name: name, uid: uid)
        case nil: break
        }
        do {
            let token = try TokenText.sign(claims, keys)
            return Issued(token: token, audiences: claims.audiences, expiry: claims.expiry)
        } catch {
            throw .internalError("sign a token: \(error)")
        }
    }

    private static func invalidLife(_ life: Int64, _ why: String) -> APIFailure {
        let message = "Invalid value: \(life): \(why)"
        return APIFailure(
            422, "Invalid", "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: \(message)",
            details: [
                "group": "authentication.k8s.io", "kind": "TokenRequest",
                "causes": [
                    ["reason": "FieldValueInvalid", "message": .string(message), "field": "spec.expirationSeconds"]
                ],
            ])
    }

    /// What a review found.
    package enum Review: Sendable {
        /// The user, without "system:authenticated", and those of the audiences asked for that the token is for.
        case user(UserInfo, audiences: [String])
        /// It is no token of this issuer.
        case unknown
        /// It is one, and no more or not yet; the sentence is for the log and for TokenReview's status.error.
        case refused(String)
    }

    /// Looks whose token it is.
    ///
    /// - Parameter audiences: who asks; empty: the API.
    /// - Throws: what the look-up does.
    package func review(_ token: String, audiences wanted: [String] = []) async throws(APIFailure) -> Review {
        guard let claims = claims(token) else {
            return TokenText.issuer(token) == issuer ? .refused("invalid bearer token") : .unknown
        }
        let wanted = wanted.isEmpty ? audiences : wanted
        let common = wanted.filter { claims.audiences.contains($0) }
        guard !common.isEmpty else {
            return .refused(
                "invalid bearer token, token audiences \(claims.audiences) is invalid for the target audiences "
                    + "\(wanted)"
            )
        }
        let moment = now()
        if moment >= claims.expiry { return .refused("invalid bearer token, service account token has expired") }
        if moment + Self.leeway < claims.notBefore {
            return .refused("invalid bearer token, service account token is not valid yet")
        }
        if let why = try await problem(of: claims, at: moment) { return .refused("invalid bearer token, \(why)") }
        return .user(user(claims), audiences: common)
    }

    private func claims(_ token: String) -> TokenClaims? {
        let digest = Array(SHA256.hash(data: Array(token.utf8)))
        if let known = verified.withLock({ $0[digest] }) { return known }
        guard let claims = TokenText.claims(token, keys), claims.issuer == issuer else { return nil }
        verified.withLock {
            if $0.count >= Self.remembered { $0.removeAll() }
            $0[digest] = claims
        }
        return claims
    }

    private func problem(of claims: TokenClaims, at moment: Int64) async throws(APIFailure) -> String? {
        typealias Subject = (resource: Resource, namespace: String?, reference: TokenClaims.Reference, word: String)
        var subjects: [Subject] = []
        if let secret = claims.secret { subjects.append((.secrets, claims.namespace, secret, "secret")) }
        subjects.append((.serviceAccounts, claims.namespace, claims.account, "service account"))
        if let pod = claims.pod {
            subjects.append((.pods, claims.namespace, pod, "pod"))
        } else if let node = claims.node {
            // A pod's node is told for information only.
            subjects.append((.nodes, nil, node, "node"))
        }
        for subject in subjects {
            let object = try await lookup(subject.resource, subject.namespace, subject.reference.name)
            guard let object else { return "\(subject.word) \(subject.reference.name) has been deleted" }
            guard object.uid == subject.reference.uid else {
                return "\(subject.word) UID (\(object.uid)) does not match claim (\(subject.reference.uid))"
            }
            // What is being deleted is believed for a minute more: a pod says goodbye to the API while it ends.
            if let deletion = object.metadata.deletionTimestamp,
                let end = try? KubeSchema.Timestamp(deletion, .seconds).seconds, moment > end + Self.leeway
            {
                return "\(subject.word) \(subject.reference.name) has been deleted"
            }
        }
        return nil
    }

    private func user(_ claims: TokenClaims) -> UserInfo {
        var extra: [String: [String]] = [:]
        let prefix = "authentication.kubernetes.io/"
        if !claims.identifier.isEmpty { extra[prefix + "credential-id"] = ["JTI=\(claims.identifier)"] }
        if let pod = claims.pod {
            extra[prefix + "pod-name"] = [pod.name]
            extra[prefix + "pod-uid"] = [pod.uid]
        }
        if let node = claims.node {
            extra[prefix + "node-name"] = [node.name]
            if !node.uid.isEmpty { extra[prefix + "node-uid"] = [node.uid] }
        }
        return UserInfo(
            name: claims.subject, uid: claims.account.uid,
            groups: ["system:serviceaccounts", "system:serviceaccounts:\(claims.namespace)"], extra: extra)
    }
}

/// Random UUIDs, RFC 9562 version 4.
enum RandomIdentifier {
    static func text() -> String {
        var random = SystemRandomNumberGenerator()
        var high = random.next()
        var low = random.next()
        high = high & ~0xF000 | 0x4000
        low = low & ~(3 << 62) | 2 << 62
        let digits = Array((NodeAuthority.hexadecimal(high) + NodeAuthority.hexadecimal(low)).utf8)
        let parts = [digits[..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20...]]
        return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")
    }
}
