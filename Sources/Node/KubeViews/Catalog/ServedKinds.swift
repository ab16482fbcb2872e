package import JSON
package import KubeObjects
import KubeSchema
internal import Synchronization

/// The kinds that are served now: those built in, and those of CustomResourceDefinitions as they come and go.
///
/// Invariants (tests in KindDocumentsTests):
/// 1. Built-in kinds are always there, whatever is defined. (`no definition hides a built-in kind`)
/// 2. The generation grows with every change, and with nothing else. (`the generation counts changes`)
package final class ServedKinds: KindCatalog {
    private struct State {
        var generation = 1
        var definitions: [String: JSONValue] = [:]
        var byPath: [GroupVersionKind: ServedKind] = [:]
        var custom: [ServedKind] = []
    }

    private struct Listeners {
        var all: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
    }

    private let builtIn: [ServedKind]
    private let builtInByPath: [GroupVersionKind: ServedKind]
    private let state = Mutex(State())
    private let listeners = Mutex(Listeners())

    /// - Parameter builtIn: kinds that are served besides those of definitions.
    package init(_ builtIn: [ServedKind] = ServedKinds.ofTheNode) {
        self.builtIn = builtIn
        builtInByPath = Dictionary(
            builtIn.map { (Self.path($0), $0) },
            uniquingKeysWith: { _, _ in preconditionFailure("two built-in kinds have the same path") })
    }

    /// Those of Kubernetes and of the node itself. Definitions have rules of their own.
    package static let ofTheNode: [ServedKind] = Schema.kubernetes.kinds.map { kind in
        guard kind.id == CustomDefinition.kind else { return ServedKind(builtIn: kind) }
        return ServedKind(
            kind, in: .kubernetes, check: { CustomDefinitionRules.causes($0) },
            warnings: { CustomDefinitionRules.warnings($0) })
    }

    private static func path(_ kind: ServedKind) -> GroupVersionKind {
        GroupVersionKind(group: kind.kind.id.group, version: kind.kind.id.version, kind: kind.kind.plural)
    }

    package func kind(group: String, version: String, plural: String) -> ServedKind? {
        let path = GroupVersionKind(group: group, version: version, kind: plural)
        return builtInByPath[path] ?? state.withLock { $0.byPath[path] }
    }

    package var kinds: [ServedKind] { builtIn + state.withLock { $0.custom } }

    package var generation: Int { state.withLock { $0.generation } }

    /// Kinds and the generation that they are of.
    var snapshot: (kinds: [ServedKind], generation: Int) {
        let (custom, generation) = state.withLock { ($0.custom, $0.generation) }
        return (builtIn + custom, generation)
    }

    package func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = listeners.withLock { listeners in
            listeners.next += 1
            listeners.all[listeners.next] = continuation
            return listeners.next
        }
        continuation.onTermination = { [weak self] _ in self?.listeners.withLock { $0.all[id] = nil } }
        continuation.yield()
        return stream
    }

    // MARK: Definitions

    /// Takes over all definitions there are: those that are established are served from now on.
    /// - Parameter definitions: CustomResourceDefinitions with the status that `CustomResourceReview` gave them.
    package func replace(with definitions: [JSONValue]) {
        var wanted: [String: JSONValue] = [:]
        for definition in definitions {
            let crd = CustomDefinition(json: definition)
            guard crd.isEstablished else { continue }
            wanted[crd.name] = crd.essence
        }
        let known = state.withLock { $0 }
        guard wanted != known.definitions else { return }
        // Made outside of the lock: readers go on meanwhile. Of definitions that have not changed the kinds are kept.
        var kinds: [ServedKind] = []
        for (name, essence) in wanted.sorted(by: { $0.key < $1.key }) {
            let old = known.definitions[name] == essence ? known.custom.filter { $0.custom?.definition == name } : nil
            kinds += old ?? CustomDefinition(json: essence).kinds
        }
        kinds.removeAll { builtInByPath[Self.path($0)] != nil }
        let byPath = Dictionary(kinds.map { (Self.path($0), $0) }, uniquingKeysWith: { first, _ in first })
        state.withLock { state in
            state = State(
                generation: state.generation + 1, definitions: wanted, byPath: byPath, custom: Array(byPath.values))
        }
        for listener in listeners.withLock({ Array($0.all.values) }) { listener.yield() }
    }
}
