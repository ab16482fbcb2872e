/// Where a value stands in an object, as error messages name it (`field.Path` in k8s.io/apimachinery):
/// "spec.containers[0].env", "metadata.labels[app]".
///
/// A chain of steps and no text: rules walk a whole object and need the text of hardly any place.
package struct FieldPath: Hashable, Sendable, CustomStringConvertible {
    private indirect enum Chain: Sendable {
        case root
        case child(Chain, String)
        case index(Chain, Int)
        case key(Chain, String)
    }

    private let chain: Chain

    package static let root = FieldPath(chain: .root)

    private init(chain: Chain) { self.chain = chain }

    package func child(_ name: String) -> FieldPath { FieldPath(chain: .child(chain, name)) }

    package func index(_ index: Int) -> FieldPath { FieldPath(chain: .index(chain, index)) }

    /// An entry of a map whose keys are data.
    package func key(_ key: String) -> FieldPath { FieldPath(chain: .key(chain, key)) }

    package var description: String { Self.text(chain) }

    private static func text(_ chain: Chain) -> String {
        switch chain {
        case .root: ""
        case .child(.root, let name): name
        case .child(let parent, let name): "\(text(parent)).\(name)"
        case .index(let parent, let index): "\(text(parent))[\(index)]"
        case .key(let parent, let key): "\(text(parent))[\(key)]"
        }
    }

    package static func == (a: FieldPath, b: FieldPath) -> Bool { a.description == b.description }
    package func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
