package import OCI

/// An image as the root of one container: what is stacked, and where it writes.
package struct ImageRoot: Hashable, Sendable {
    /// Directories of layers, the topmost first; none for an image of nothing.
    package var layers: [String]
    /// The directory of rooms.
    package var rooms: String
    /// The room that the container has from its first start on; nil before.
    package var room: String?

    package init(layers: [String], rooms: String, room: String? = nil) {
        self.layers = layers
        self.rooms = rooms
        self.room = room
    }

    /// What the container has written over the layers.
    package var upper: String? { room.map { "\(rooms)/\($0)/upper" } }
}

/// The files of a container, for whoever copies, compares or commits them.
package struct ContainerFiles: Hashable, Sendable {
    /// What the container has written; nil when it has not been started yet.
    package var upper: String?
    /// Directories of the image's layers, the topmost first.
    package var lower: [String]
    package var image: Digest
    /// The pid on the machine of its first program, through whose root the whole tree can be seen; nil when it does
    /// not run.
    package var pid: Int32?
}
