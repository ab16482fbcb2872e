import KubeAPI
import KubeObjects
import KubeServing
import Linux
import Pods

/// The tokens of service accounts, as the API hands them out and pods get them.
struct KubeTokens: KubeAPI.TokenIssuer, Pods.ServiceAccountTokens {
    let tokens: KubeServing.ServiceAccountTokens
    let find: TokenSubjectLookup

    // The API.

    func issue(
        for account: KubeObject, audiences: [String], seconds: Int64?, boundTo object: BoundObject?
    ) async throws(APIFailure) -> IssuedToken {
        let issued = try tokens.issue(account, audiences: audiences, life: seconds, binding: try binding(object))
        return IssuedToken(
            token: issued.token, audiences: audiences.isEmpty ? tokens.audiences : audiences, expiry: issued.expiry)
    }

    private func binding(_ object: BoundObject?) throws(APIFailure) -> KubeServing.ServiceAccountTokens.Binding? {
        guard let object else { return nil }
        switch object.kind {
        case "Pod": return .pod(name: object.name, uid: object.uid, node: object.nodeName)
        case "Node": return .node(name: object.name, uid: object.uid)
        case "Secret": return .secret(name: object.name, uid: object.uid)
        default: throw .badRequest("a token cannot be bound to a \(object.kind)")
        }
    }

    func review(_ token: String, audiences: [String]) async throws(APIFailure) -> TokenVerdict {
        switch try await tokens.review(token, audiences: audiences) {
        case .user(let user, let audiences): .user(user, audiences: audiences)
        case .unknown: .refused("")
        case .refused(let sentence): .refused(sentence)
        }
    }

    // Pods.

    func token(
        namespace: String, account: String, audiences: [String], seconds: Int64, podName: String, podUID: String
    ) async throws(APIFailure) -> (token: String, expires: Timestamp) {
        guard let account = try await find(.serviceAccounts, namespace, account) else {
            throw .notFound(.serviceAccounts, account)
        }
        let issued = try tokens.issue(
            account, audiences: audiences, life: seconds, binding: .pod(name: podName, uid: podUID, node: nil))
        return (issued.token, Timestamp(nanoseconds: Int(issued.expiry) * 1_000_000_000))
    }
}
