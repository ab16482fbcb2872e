/// Why a cluster did not do something: a sentence that says what was tried, where, and why it failed.
package struct ClusterFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    /// The HTTP status of the answer; nil when there was none.
    package var status: Int?

    package init(_ description: String, status: Int? = nil) {
        self.description = description
        self.status = status
    }
}
