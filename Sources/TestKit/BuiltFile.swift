internal import Linux

/// What the build puts beside the test that runs.
package enum BuiltFile {
    /// The path of an executable of ours, such as `forkless-keeper` or `shim/forkless-shim`.
    ///
    /// It is looked for from this process's executable upwards, and below `.build` where the tests' executable is Swift's.
    /// - Throws: `Missing` when it has not been built.
    package static func path(_ name: String) throws -> String {
        var directories = try Files.link("/proc/self/exe").split(separator: "/").dropLast()
        var candidates: [String] = []
        while !directories.isEmpty {
            candidates.append("/" + directories.joined(separator: "/") + "/" + name)
            directories.removeLast()
        }
        candidates += [".build/debug/", ".build/release/", ".build/"].map { $0 + name }
        guard let path = candidates.first(where: Files.exists) else { throw Missing(name: name) }
        return path
    }

    package struct Missing: Error, CustomStringConvertible {
        var name: String
        package var description: String { "\(name) is not built; make build and make shim put it below .build" }
    }
}
