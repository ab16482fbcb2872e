/// Debian's alternatives: which program is meant by awk or editor, as links that belong to no package.
struct Alternatives<Tree: FileTree> {
    private let tree: Tree
    private static var links: String { "/etc/alternatives" }
    private static var records: String { "/var/lib/dpkg/alternatives" }

    init(_ tree: Tree) { self.tree = tree }

    /// The links that lead to files of these packages.
    func links(of packages: Set<String>, _ database: DebianDatabase) throws(PackFailure) -> [String: String] {
        guard !packages.isEmpty, case .directory? = try tree.entry(Self.records) else { return [:] }
        var links: [String: String] = [:]
        for name in try tree.list(Self.records) {
            for (link, choice) in try record(name) {
                let chosen = Self.links + "/" + choice
                guard case .link(let target)? = try tree.entry(chosen), case .link(let first)? = try tree.entry(link),
                    first == chosen, let end = try LinkWalk.follow(target, in: tree)?.path,
                    let owner = database.owner(of: end), packages.contains(owner.name)
                else { continue }
                links[link] = first
                links[chosen] = target
            }
        }
        return links
    }

    /// Its links with their names: the mode, the link, then a name and a link for each slave, up to an empty line
    /// (update-alternatives(1), "FILES"; the format is that of dpkg's own source).
    private func record(_ name: String) throws(PackFailure) -> [(link: String, name: String)] {
        let lines = String(decoding: try tree.read(Self.records + "/" + name), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count > 2 else { return [] }
        var found = [(lines[1], name)]
        var at = 2
        while at + 1 < lines.count, !lines[at].isEmpty {
            found.append((lines[at + 1], lines[at]))
            at += 2
        }
        return found.filter { $0.0.hasPrefix("/") }
    }
}
