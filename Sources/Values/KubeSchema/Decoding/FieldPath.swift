/// Where a value stands in an object, as error messages name it (`field.Path` in k8s.io/apimachinery):
/// "spec.containers[0].env", "metadata.labels[app]".
package struct FieldPath: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package static let root = FieldPath(description: "")

    private init(description: String) { self.description = description }

    package init(_ text: String) { description = text }

    package func child(_ name: String) -> FieldPath {
        FieldPath(description: description.isEmpty ? name : "\(description).\(name)")
    }

    package func index(_ index: Int) -> FieldPath { FieldPath(description: "\(description)[\(index)]") }

    /// An entry of a map whose keys are data.
    package func key(_ key: String) -> FieldPath { FieldPath(description: "\(description)[\(key)]") }
}
