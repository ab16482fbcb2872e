/// A value that was measured, or the reason why there is none.
package enum Reading<Value: Hashable & Sendable>: Hashable, Sendable {
    case measured(Value)
    /// Nothing to show, and why ("a process that ends with its call is never idle").
    case unavailable(String)

    /// The value; nil when there is none.
    package var value: Value? {
        switch self {
        case .measured(let value): value
        case .unavailable: nil
        }
    }
}
