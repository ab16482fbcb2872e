package import Linux
package import OCI

/// Why something could not be done with images.
package enum ImageFailure: Error, Sendable, CustomStringConvertible {
    /// A system call failed; a full disk is one (ENOSPC).
    case system(SystemError)
    /// A manifest, index or config that cannot be used.
    case document(DocumentError)
    /// Text that is no image's name.
    case name(ReferenceError)
    /// There is no such image.
    case unknownImage(String)
    /// What was written stands for more than one image: their ids.
    case ambiguous(String, [Digest])
    /// There is no such blob: an image refers to it, or somebody asked for it.
    case missingBlob(Digest)
    /// The bytes are not those that the digest names.
    case wrongDigest(expected: Digest, found: Digest)
    /// There were more or fewer bytes than were announced.
    case wrongSize(Digest?, expected: Int, found: Int)
    /// A layer unpacked to something else than the image's config says.
    case wrongLayer(layer: Digest, expected: Digest, found: Digest)
    /// The image cannot be removed: why.
    case inUse(String)
    /// Everything else that an image or archive can have wrong.
    case unusable(String)

    package var description: String {
        switch self {
        case .system(let error): error.description
        case .document(let error): error.description
        case .name(let error): error.description
        case .unknownImage(let name): "there is no image \"\(name)\" here"
        case .ambiguous(let text, let ids):
            "\"\(text)\" stands for \(ids.count) images: \(ids.map(\.short).joined(separator: ", ")). Write more digits."
        case .missingBlob(let digest): "blob \(digest) is not in the store; pull or load the image again"
        case .wrongDigest(let expected, let found): "blob \(expected) cannot be used: its bytes are \(found)"
        case .wrongSize(let digest, let expected, let found):
            "\(digest.map { "blob \($0)" } ?? "the blob") cannot be used: "
                + "\(expected) bytes were announced and \(found)\(found > expected ? " or more" : "") came"
        case .wrongLayer(let layer, let expected, let found):
            "layer \(layer) cannot be used: it unpacks to \(found), and the image's config says \(expected)"
        case .inUse(let why): why
        case .unusable(let why): why
        }
    }
}
