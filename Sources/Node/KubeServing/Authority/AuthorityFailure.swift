/// Why the node has no identity, or cannot give one: what was tried, on what, why it failed and what to do.
package struct AuthorityFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var sentence: String
    package init(_ sentence: String) { self.sentence = sentence }
    package var description: String { sentence }
}
