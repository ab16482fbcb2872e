internal import Linux

/// A disk that is soon full: a tmpfs of a test's own, for root.
package enum SmallDisk {
    /// Runs a test with one, which is unmounted when nobody has anything open on it any more.
    ///
    /// - Parameters:
    ///   - size: as tmpfs(5) has it: "1m".
    ///   - body: gets the directory where it is mounted.
    package static func with(_ size: String, _ body: (String) async throws -> Void) async throws {
        let directory = try TemporaryDirectory("full")
        let place = directory.path("disk")
        try Files.makeDirectory(place)
        let mounted = try await CommandRunner.run([
            "mount", "-t", "tmpfs", "-o", "size=\(size)", "forkless-test", place,
        ])
        guard mounted.status.isSuccess else { throw Unmounted(description: mounted.errorText) }
        var problem: (any Error)?
        do { try await body(place) } catch { problem = error }
        // A database's descriptors are closed when its last reference has gone.
        try await eventually { try await CommandRunner.run(["umount", place]).status.isSuccess }
        if let problem { throw problem }
    }

    struct Unmounted: Error, CustomStringConvertible { var description: String }
}
