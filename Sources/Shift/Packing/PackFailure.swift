/// Why a program cannot be packed: what was tried, on what, why, what to do.
package struct PackFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
