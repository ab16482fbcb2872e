package import JSON
package import KubeObjects
import KubeSchema
internal import Synchronization

/// The kinds that are served now: those built in, and those of CustomResourceDefinitions as they come and go.
///
/// Invariants (tests in ServedKindsTests):
/// 1. Built-in kinds are always there, whatever is defined. (`no definition hides a built-in kind`)
/// 2. The generation grows with every change, and with nothing else. (`the generation counts changes`)
package final class ServedKinds: KindCatalog {
    private struct State {
        var generation = 1
        var definitions: [String: JSONValue] = [:]
        var byPath: [GroupVersionKind: ServedKind] = [:]
        var custom: [ServedKind] = []
    }

    private let builtIn: [ServedKind]
    private let builtInByPath: [GroupVersionKind: ServedKind]
    private let state = Mutex(State())

    /// - Parameter builtIn: kinds that are served besides those of definitions.
    package init(_ builtIn: [ServedKind] = ServedKinds.ofTheNode) {
        self.builtIn = builtIn
        builtInByPath = Dictionary(
            builtIn.map { (Self.path($0), $0) },
            uniquingKeysWith: { _, _ in preconditionFailure("two built-in kinds have the same path") })
    }

    /// Those of Kubernetes.
    package static let ofTheNode: [ServedKind] = Schema.kubernetes.kinds.map { ServedKind($0, in: .kubernetes) }

    private static func path(_ kind: ServedKind) -> GroupVersionKind {
        GroupVersionKind(group: kind.kind.id.group, version: kind.kind.id.version, kind: kind.kind.plural)
    }

    package func kind(group: String, version: String, plural: String) -> ServedKind? {
        let path = GroupVersionKind(group: group, version: version, kind: plural)
        return builtInByPath[path] ?? state.withLock { $0.byPath[path] }
    }

    package var kinds: [ServedKind] { builtIn + state.withLock { $0.custom } }

    /// Grows when kinds come or go: what was made from an older one is made anew.
    package var generation: Int { state.withLock { $0.generation } }

    /// Kinds and the generation that they are of.
    var snapshot: (kinds: [ServedKind], generation: Int) {
        let (custom, generation) = state.withLock { ($0.custom, $0.generation) }
        return (builtIn + custom, generation)
    }

    // MARK: Definitions

    /// Takes over all definitions there are.
    /// - Parameter definitions: CustomResourceDefinitions with the status that `CustomResourceReview` gave them.
    package func replace(with definitions: [JSONValue]) {
    }
}
