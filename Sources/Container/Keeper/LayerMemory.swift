import Linux

/// Memory for writable layers of which somebody wants to see, after the sandbox, what was written.
///
/// It is mounted in the keeper's own mount namespace: the layer that an overlay writes must not lie on the file system
/// of the layers below it (Documentation/filesystems/overlayfs.rst), and the machine's root is such a layer.
package struct LayerMemory: Sendable {
    /// For all layers together; what programs write there is charged to their sandboxes.
    static let bytes = 1 << 30

    /// Where the keeper and its sandboxes see it.
    package let directory: String

    /// - Parameter run: the keeper's `--run` directory.
    package init(run: String) { directory = run + "/layers" }

    /// Where processes in other mount namespaces see it, given that they may look into the keeper.
    package func seen(through keeper: Int32) -> String { "/proc/\(keeper)/root\(directory)" }

    /// Mounts it. It goes with the keeper's mount namespace.
    func mount() throws(SystemError) {
        try Files.makeDirectories(directory, mode: 0o700)
        try Mounts.attach(try Mounts.memoryFileSystem(bytes: Self.bytes), at: directory)
    }
}
