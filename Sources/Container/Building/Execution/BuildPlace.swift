internal import Glibc
internal import Images
internal import Linux
internal import Synchronization

/// Where builds work: STATE/build with the steps' directories in `work`, and `base` for what every sandbox needs.
///
/// Invariants
/// 1. What a dead node left half done is gone when the next opens the place.
///    (test: `what a dead node left of a build is removed`)
package final class BuildPlace: Sendable {
    package let directory: String
    private let lastNumber = Atomic<Int>(0)

    /// Opens the place, making it if it is missing. Blocks.
    package init(directory: String) throws(BuildFailure) {
        self.directory = directory
        try building { () throws(SystemError) in
            try Files.makeDirectories(directory, mode: 0o700)
            try Files.removeTree(directory + "/work")
            try Files.makeDirectory(directory + "/work", mode: 0o700)
            for name in ["proc", "dev", "sys", "etc"] { try Files.makeDirectories("\(base)/\(name)") }
            for name in Self.boundFiles {
                _ = try Files.open("\(base)/etc/\(name)", O_WRONLY | O_CREAT, mode: 0o644)
            }
        }
    }

    /// A layer below all others with places for the sandbox's own mounts, so that they are not made in the step's layer.
    var base: String { directory + "/base" }

    /// Files of /etc that every sandbox has of its own.
    static let boundFiles = ["hosts", "hostname", "resolv.conf"]

    package var cacheDirectory: String { directory + "/cache" }

    /// A path that nobody else uses.
    package func makePath() -> String {
        "\(directory)/work/\(lastNumber.add(1, ordering: .relaxed).newValue)"
    }
}
