internal import Lambda
internal import Linux

/// A layer: its name and the number of the version to come. It stays when all its versions are deleted, so that no
/// number is given twice.
struct LayerRecord: Hashable, Sendable {
    var name: String
    var nextVersion: Int
}

struct LayerVersionRecord: Hashable, Sendable {
    var layer: String
    var version: Int
    var description: String
    var license: String?
    var runtimes: [String]
    var architectures: [String]
    var created: Timestamp
    /// `CodeSha256`, base64.
    var digest: String
    /// The digest in hexadecimal digits.
    var directory: String
    var size: Int
    var unpackedSize: Int
    var statements: [PolicyStatement] = []
    /// Of the policy.
    var revisionID: String
}

/// An event source mapping with what is answered of it.
struct MappingRecord: Hashable, Sendable {
    var mapping: EventSourceMapping
    var modified: Timestamp
    var tags: [String: String] = [:]
    var onFailure: String?
    /// Given at creation; kept because it is answered.
    var startingPosition: String?
}
