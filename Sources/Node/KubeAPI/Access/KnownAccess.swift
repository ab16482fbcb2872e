import KubeObjects
import KubeStore
import Synchronization

/// The policy of the roles and bindings that are known, made anew when they change.
///
/// Invariant: it is of what was known when it was asked for. (test: `a role counts for the next request`)
final class KnownAccess: Sendable {
    private static let resources: [Resource] = [.roles, .clusterRoles, .roleBindings, .clusterRoleBindings]

    private let known: KnownObjects
    private let state = Mutex<(changes: [Int], policy: AccessPolicy)?>(nil)

    init(_ known: KnownObjects) { self.known = known }

    var policy: AccessPolicy {
        let changes = Self.resources.map { known.changes($0) }
        if let (of, policy) = state.withLock({ $0 }), of == changes { return policy }
        let policy = AccessPolicy(
            roles: known.objects(.roles), clusterRoles: known.objects(.clusterRoles),
            roleBindings: known.objects(.roleBindings), clusterRoleBindings: known.objects(.clusterRoleBindings))
        // When something changed meanwhile the numbers differ at the next question.
        state.withLock { $0 = (changes, policy) }
        return policy
    }
}
