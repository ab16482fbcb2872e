internal import Glibc
internal import Linux
internal import OCI

/// The blobs on disk: `blobs/ALGORITHM/HEX`, and `incoming/NUMBER` for those on their way.
///
/// A path is only ever made of a `Digest`, which holds nothing but digits.
struct BlobDirectory: Sendable {
    let root: String

    var incoming: String { root + "/incoming" }

    func path(_ digest: Digest) -> String { "\(root)/blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

    /// Makes the directories and removes what a dead process left on its way.
    func open() throws(SystemError) {
        for algorithm in Digest.Algorithm.allCases {
            try Files.makeDirectories("\(root)/blobs/\(algorithm.rawValue)", mode: 0o700)
        }
        try Files.removeTree(incoming)
        try Files.makeDirectories(incoming, mode: 0o700)
    }

    /// A new file for bytes on their way.
    func makeIncoming(_ number: Int) throws(SystemError) -> (file: SharedFD, path: String) {
        let path = "\(incoming)/\(number)"
        return (SharedFD(try Files.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)), path)
    }

    /// Gives a finished file its digest's name; of two equal ones the last stays.
    func adopt(_ path: String, as digest: Digest) throws(SystemError) {
        try Files.rename(path, to: self.path(digest))
        try Files.synchronize(directory: "\(root)/blobs/\(digest.algorithm.rawValue)")
    }

    /// The digests of all blobs; what is no blob is left alone.
    func list() throws(SystemError) -> [Digest] {
        var digests: [Digest] = []
        for algorithm in Digest.Algorithm.allCases {
            for name in try Files.list("\(root)/blobs/\(algorithm.rawValue)") {
                if let digest = Digest("\(algorithm.rawValue):\(name)") { digests.append(digest) }
            }
        }
        return digests
    }

    /// The size of a blob in bytes; nil when there is none.
    func size(_ digest: Digest) throws(SystemError) -> Int? {
        do { return try Files.status(path(digest), followLinks: false).size } catch where error.code == .noEntry {
            return nil
        }
    }
}
