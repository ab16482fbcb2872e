package import OCI

/// What happens to one part of an image while it is pulled or pushed.
package struct TransferEvent: Hashable, Sendable {
    package enum Happening: Hashable, Sendable {
        /// It has to be transferred; nothing of it is yet.
        case waiting
        /// It is there already.
        case present
        /// Another repository of the registry lent it.
        case mounted
        /// So many bytes are there.
        case moving(Int)
        /// A try failed; the next one begins after a pause.
        case retrying(String)
        /// It is there, and checked.
        case done
    }

    package var content: Descriptor
    package var happening: Happening

    package init(_ content: Descriptor, _ happening: Happening) {
        self.content = content
        self.happening = happening
    }
}
