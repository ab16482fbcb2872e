import Linux

/// One layer to be written: what is in it, and what it is called in the image's history.
package struct PlannedLayer: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Directories that every packed program has, merged ones as links.
        case skeleton
        /// Files of packages.
        case packages([DebianDatabase.Package])
        /// Files that belong to no package, and links.
        case exact
    }

    package var kind: Kind
    /// Files and directories by their path in the image, which is that on this machine.
    package var paths: [String]
    package var links: [String: String]

    package var title: String {
        switch kind {
        case .skeleton: "directories"
        case .packages(let all): all.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        case .exact: "files of this machine"
        }
    }
}

/// Which layers an image gets.
///
/// One for each package, so that programs that were packed at different times share what they have in common; and one
/// with everything else.
///
/// Invariants
/// 1. The same needs on the same machine give the same layers, in the same order. (test: `the same program gives the same digest`)
/// 2. No path is in two layers, but for the directories above. (test: `no file is in two layers`)
package struct PackPlan: Hashable, Sendable {
    package var layers: [PlannedLayer]
    /// Every package whose files are in it.
    package var packages: [DebianDatabase.Package]
    /// Files that belong to no package.
    package var exactFiles: [String]

    /// Layers beyond this number are not mounted any faster for being shared: the smallest packages then come together.
    private static let packageLayersLimit = 60

    /// Never needed to run anything; licences are kept.
    private static let leftOut = [
        "/usr/share/doc/", "/usr/share/man/", "/usr/share/info/", "/usr/share/lintian/", "/usr/share/bug/",
        "/usr/share/locale/",
        "/usr/share/doc-base/", "/usr/share/bash-completion/", "/usr/share/fish/", "/usr/share/zsh/", "/usr/include/",
    ]

    package init(_ needs: PackNeeds, _ database: DebianDatabase, _ tree: some FileTree) throws(PackFailure) {
        var names = needs.packages
        var exact: [String] = []
        var links = needs.links
        for path in needs.paths.sorted() {
            if case .directory? = try tree.entry(path) { continue }
            if let owner = database.owner(of: path) { names.insert(owner.name) } else { exact.append(path) }
        }
        if needs.needsLoaderCache { exact.append("/etc/ld.so.cache") }
        // What everybody has stands below, so that what is unpacked of it is shared as well.
        let common = Set(database.closure(of: ["libc6"]).map(\.name))
        packages = (names.filter { common.contains($0) }.sorted() + names.filter { !common.contains($0) }.sorted())
            .compactMap { database.packages[$0] }
        links.merge(try Alternatives(tree).links(of: names, database)) { old, _ in old }
        exactFiles = exact
        // The links of merged directories, which many packages list, are the skeleton's.
        let merged = try Self.merged(tree)
        var taken = Set(merged.keys)
        var packageLayers: [PlannedLayer] = []
        for package in packages {
            var layer = PlannedLayer(kind: .packages([package]), paths: [], links: [:])
            for path in database.files(of: package.name)
            where Self.isKept(path, wanted: needs) && taken.insert(path).inserted {
                switch try tree.entry(path) {
                case .file?: layer.paths.append(path)
                case .link(let target)?: layer.links[path] = target
                // Directories come with what is in them; a conffile that the administrator removed stays so.
                case .directory?, .special?, nil: taken.remove(path)
                }
            }
            layer.paths.sort()
            if !layer.paths.isEmpty || !layer.links.isEmpty { packageLayers.append(layer) }
        }
        layers = [Self.skeleton(merged)] + Self.bounded(packageLayers)
        links = links.filter { !taken.contains($0.key) }
        var directories: [String] = []
        for path in needs.paths where path != "/" {
            if case .directory? = try tree.entry(path) { directories.append(path) }
        }
        layers.append(PlannedLayer(kind: .exact, paths: (exact + directories).sorted(), links: links))
    }

    private static func isKept(_ path: String, wanted: PackNeeds) -> Bool {
        if path.hasSuffix("/copyright") || wanted.paths.contains(path) { return true }
        return !leftOut.contains { path.hasPrefix($0) }
    }

    /// At most so many layers of packages: the smallest are put together, in the order of their names.
    private static func bounded(_ layers: [PlannedLayer]) -> [PlannedLayer] {
        guard layers.count > packageLayersLimit else { return layers }
        let largest = layers.sorted { ($1.paths.count, $0.title) < ($0.paths.count, $1.title) }.prefix(
            packageLayersLimit - 1)
        let kept = Set(largest.map(\.title))
        var together = PlannedLayer(kind: .packages([]), paths: [], links: [:])
        var all: [DebianDatabase.Package] = []
        for layer in layers where !kept.contains(layer.title) {
            if case .packages(let some) = layer.kind { all += some }
            together.paths += layer.paths
            together.links.merge(layer.links) { old, _ in old }
        }
        together.kind = .packages(all)
        together.paths.sort()
        return layers.filter { kept.contains($0.title) } + [together]
    }

    private static func skeleton(_ merged: [String: String]) -> PlannedLayer {
        PlannedLayer(kind: .skeleton, paths: [], links: merged)
    }

    /// /bin, /lib and the like where they are links: "usr/bin".
    private static func merged(_ tree: some FileTree) throws(PackFailure) -> [String: String] {
        var links: [String: String] = [:]
        for name in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
            if case .link(let target)? = try tree.entry(name) { links[name] = target }
        }
        return links
    }
}
