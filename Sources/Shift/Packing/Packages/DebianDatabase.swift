/// What Debian's package database knows, read from its own files: which package each file belongs to, what packages need.
///
/// Read here rather than asked of dpkg-query, which takes a process and a second for each question, and so that a test
/// can hand over a small database.
///
/// Invariant: a file that another package has diverted belongs to who diverted it. (test: `a diverted file belongs to who diverted it`)
package struct DebianDatabase: Sendable {
    /// An installed package.
    package struct Package: Hashable, Sendable {
        package var name: String
        package var version: String
        package var architecture: String
        package var isEssential = false
        /// Names of packages, any of which satisfies each; versions are as they are installed.
        package var depends: [[String]] = []
        /// What it is called for others: virtual packages.
        package var provides: [String] = []
    }

    /// By name.
    package private(set) var packages: [String: Package] = [:]
    /// Files and links by the path that they have without links of directories: the package's name.
    private var owners: [String: String] = [:]
    /// The other way round, in the order of the list.
    private var files: [String: [String]] = [:]
    private var providers: [String: [String]] = [:]

    /// No database: nothing belongs to a package.
    package init() {}

    /// - Throws: `PackFailure` when there is a database that cannot be read.
    package init(_ tree: some FileTree, directory: String = "/var/lib/dpkg") throws(PackFailure) {
        guard case .file? = try tree.entry(directory + "/status") else { return }
        for package in Self.packages(String(decoding: try tree.read(directory + "/status"), as: UTF8.self)) {
            packages[package.name] = package
            for name in package.provides { providers[name, default: []].append(package.name) }
        }
        let moved = try Self.mergedDirectories(tree)
        let diversions = try Self.diversions(tree, directory)
        for package in packages.values.sorted(by: { $0.name < $1.name }) {
            let names = ["\(package.name).list", "\(package.name):\(package.architecture).list"]
            for name in names where try tree.entry("\(directory)/info/\(name)") != nil {
                let list = String(decoding: try tree.read("\(directory)/info/\(name)"), as: UTF8.self)
                take(list, of: package.name, moved, diversions)
            }
        }
    }

    private mutating func take(
        _ list: String, of package: String, _ moved: [String: String], _ diversions: [String: (to: String, by: String)]
    ) {
        for line in list.split(separator: "\n") where line != "/." {
            var path = String(line)
            if let diversion = diversions[path], diversion.by != package { path = diversion.to }
            if let slash = path.dropFirst().firstIndex(of: "/"), let target = moved[String(path[..<slash])] {
                path = target + path[slash...]
            }
            owners[path] = package
            files[package, default: []].append(path)
        }
    }

    /// The package that a file belongs to; its path without links of directories.
    package func owner(of path: String) -> Package? { owners[path].flatMap { packages[$0] } }

    /// Everything that a package has put on the disk, directories included.
    package func files(of package: String) -> [String] { files[package] ?? [] }

    /// Packages and everything that they need, by Depends and Pre-Depends, sorted by name.
    package func closure(of names: some Sequence<String>) -> [Package] {
        var found: Set<String> = []
        var waiting = Array(names)
        while let name = waiting.popLast() {
            guard let package = packages[name], found.insert(name).inserted else { continue }
            for choice in package.depends {
                if let chosen = choice.lazy.compactMap({ self.installed($0) }).first { waiting.append(chosen) }
            }
        }
        return found.sorted().compactMap { packages[$0] }
    }

    private func installed(_ name: String) -> String? {
        packages[name] != nil ? name : providers[name]?.sorted().first
    }

    package var essential: [String] { packages.values.filter(\.isEssential).map(\.name).sorted() }

    // MARK: - Its files

    /// deb822: paragraphs of "Field: value", continued by lines that begin with a blank.
    private static func packages(_ text: String) -> [Package] {
        text.split(separator: "\n\n").compactMap { paragraph in
            var fields: [Substring: String] = [:]
            var last: Substring = ""
            for line in paragraph.split(separator: "\n") {
                if line.first == " " || line.first == "\t" {
                    fields[last]? += line
                } else if let colon = line.firstIndex(of: ":") {
                    last = line[..<colon]
                    fields[last] = String(line[line.index(after: colon)...].drop { $0 == " " })
                }
            }
            guard let name = fields["Package"], let version = fields["Version"],
                fields["Status"]?.hasSuffix(" installed") == true
            else { return nil }
            var package = Package(name: name, version: version, architecture: fields["Architecture"] ?? "all")
            package.isEssential = fields["Essential"] == "yes"
            package.depends = choices(fields["Pre-Depends"] ?? "") + choices(fields["Depends"] ?? "")
            package.provides = choices(fields["Provides"] ?? "").flatMap { $0 }
            return package
        }
    }

    /// "a (>= 1) | b:any, c" as [["a", "b"], ["c"]].
    private static func choices(_ text: String) -> [[String]] {
        text.split(separator: ",").map { clause in
            clause.split(separator: "|").compactMap { word in
                word.split { " (:\t".contains($0) }.first.map(String.init)
            }
        }
    }

    /// Of a machine with /usr merged: "/lib" to "/usr/lib" and so on.
    private static func mergedDirectories(_ tree: some FileTree) throws(PackFailure) -> [String: String] {
        var moved: [String: String] = [:]
        for name in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libo32"] {
            guard case .link? = try tree.entry(name), let walk = try LinkWalk.follow(name, in: tree) else { continue }
            moved[name] = walk.path
        }
        return moved
    }

    /// Three lines for each: the path, where it was moved to, by which package (":" for the administrator).
    private static func diversions(
        _ tree: some FileTree, _ directory: String
    ) throws(PackFailure) -> [String: (to: String, by: String)] {
        guard case .file? = try tree.entry(directory + "/diversions") else { return [:] }
        let lines = String(decoding: try tree.read(directory + "/diversions"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        var found: [String: (to: String, by: String)] = [:]
        for index in stride(from: 0, to: lines.count - 2, by: 3) {
            found[String(lines[index])] = (String(lines[index + 1]), String(lines[index + 2]))
        }
        return found
    }
}
