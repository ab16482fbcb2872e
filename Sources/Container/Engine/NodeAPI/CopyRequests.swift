package import JSON

/// Copies files out of a container: `containers.copy.out`.
///
/// With `destination` the request carries the caller's root directory, below which it is; without, a file or pipe that
/// gets a tar archive.
package struct CopyFromContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.copyFromContainer

    package var container: String
    /// Below the container's root; "/x/." is what is in it.
    package var source: String
    /// An absolute path of the caller's.
    package var destination: String?
    /// `-L`: a link at the end of the source is followed, inside of the root.
    package var followsLink: Bool
    /// Who is to own the copies; nil: as they are (`-a`).
    package var owner: CopyOwner?

    package init(
        container: String, source: String, destination: String?, followsLink: Bool = false, owner: CopyOwner? = nil
    ) {
        self.container = container
        self.source = source
        self.destination = destination
        self.followsLink = followsLink
        self.owner = owner
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            container: try reader.required("container"), source: try reader.required("source"),
            destination: try reader.optional("destination"), followsLink: try reader.flag("followLink"),
            owner: try reader.nestedIfThere("owner"))
    }

    package var json: JSONValue {
        .members(
            ("container", container.json), ("source", source.json), ("destination", destination?.json),
            ("followLink", followsLink.json), ("owner", owner?.json))
    }
}

/// Copies files into a container: `containers.copy.in`.
///
/// With `source` the request carries the caller's root directory, below which it is; without, a file or pipe with a tar
/// archive, plain or compressed.
package struct CopyToContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.copyToContainer

    package var container: String
    /// An absolute path of the caller's.
    package var source: String?
    /// Below the container's root.
    package var destination: String
    package var followsLink: Bool
    package var owner: CopyOwner?

    package init(
        container: String, source: String?, destination: String, followsLink: Bool = false, owner: CopyOwner? = nil
    ) {
        self.container = container
        self.source = source
        self.destination = destination
        self.followsLink = followsLink
        self.owner = owner
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            container: try reader.required("container"), source: try reader.optional("source"),
            destination: try reader.required("destination"), followsLink: try reader.flag("followLink"),
            owner: try reader.nestedIfThere("owner"))
    }

    package var json: JSONValue {
        .members(
            ("container", container.json), ("source", source?.json), ("destination", destination.json),
            ("followLink", followsLink.json), ("owner", owner?.json))
    }
}

package struct CopyOwner: NodeValue {
    package var user: UInt32
    package var group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(user: try reader.required("user"), group: try reader.required("group"))
    }

    package var json: JSONValue { .members(("user", user.json), ("group", group.json)) }
}
