/// What a field of a Kubernetes object holds, with the same distinctions as the Go types of k8s.io/api: they decide
/// what is decoded, how protobuf writes it, and what OpenAPI says.
package indirect enum FieldType: Hashable, Sendable {
    case string
    case boolean
    case int32
    case int64
    /// A `float64`.
    case double
    /// resource.Quantity: a string or a number in JSON, kept in its canonical form.
    case quantity
    /// intstr.IntOrString: a 32-bit integer or a string.
    case intOrString
    /// metav1.Time: RFC 3339 with seconds.
    case time
    /// metav1.MicroTime: RFC 3339 with microseconds.
    case microTime
    /// Base64 in JSON (RFC 4648 section 4).
    case bytes
    /// Any JSON: runtime.RawExtension, metav1.FieldsV1.
    case any
    case object(ObjectType.ID)
    case list(FieldType)
    /// Names are data, as in labels.
    case map(FieldType)

    /// The type of an object or of the elements, whatever stands around it.
    package var innermost: FieldType {
        switch self {
        case .list(let element), .map(let element): element.innermost
        default: self
        }
    }
}

/// How server-side apply merges a list (KEP-555, `x-kubernetes-list-type`).
package enum ListType: Hashable, Sendable {
    /// One manager owns the whole list.
    case atomic
    /// Elements are scalars, each owned for itself.
    case set
    /// Elements are objects, found by the values of these fields.
    case map(keys: [String])
}

/// How a strategic merge patch treats a field (`patchStrategy`, `patchMergeKey`).
package struct PatchStrategy: Hashable, Sendable {
    /// Whether list elements are merged; otherwise the list is replaced.
    package var merges = false
    /// The field that identifies an element; nil in lists of scalars.
    package var mergeKey: String?
    /// Whether a patch that names the fields of a union clears the others (`$retainKeys`).
    package var retainsKeys = false
    /// Whether an object is replaced and not merged.
    package var replaces = false

    package init() {}
}
