package import Linux

/// A call under way: its head, and its process, from which the rest is read when it is wanted.
///
/// The shim waits while the node reads, so what is read is what the program would have been born with. The process is
/// held by descriptor (SO_PEERPIDFD): a pid that was given to another process meanwhile is noticed.
package final class ShimCall: Sendable {
    package let head: CallHead
    /// The caller's child.
    package let process: SharedFD

    package init(head: CallHead, process: SharedFD) {
        self.head = head
        self.process = process
    }
}
