package import Linux
package import OCI

/// An image that is here.
package struct StoredImage: Hashable, Sendable {
    /// The digest of its config: the same wherever the image is, and what Docker shows.
    package var id: Digest
    /// The digest of its manifest.
    package var manifest: Digest
    /// The digest of the index it was chosen from, when there was one.
    package var index: Digest?
    /// Bytes of its config and its layers as they are in the store (compressed, mostly).
    package var size: Int
    /// RFC 3339, as its config says.
    package var created: String?
    /// When it came here.
    package var added: Timestamp
    /// What it is called, sorted; "host/path@digest" for what was pulled so. Empty when nothing names it any more.
    package var names: [Reference]
}

/// What a removal or collection took away.
package struct ImageRemoval: Hashable, Sendable {
    /// Names that mean nothing now.
    package var untagged: [Reference] = []
    /// Ids of images that are gone.
    package var deleted: [Digest] = []
    /// Bytes of the blobs that are gone.
    package var freedBytes = 0
}
