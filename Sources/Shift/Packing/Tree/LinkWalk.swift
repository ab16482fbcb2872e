/// Follows a path as the kernel does, and keeps every link on the way: an image needs them all, so that /bin/sh is found
/// where /bin leads to usr/bin, and an alternative where two links lead to it.
///
/// Invariants
/// 1. Walking ends, however links lead in circles: after `linksLimit` it is an error, as with the kernel's ELOOP.
///    (test: `links in a circle are an error`)
/// 2. ".." is applied to where a link has led, not to how it was written. (test: `links are followed as the kernel does`)
package struct LinkWalk: Hashable, Sendable {
    /// The links that were met, by their own path, whose directories hold no further link.
    package var links: [String: String] = [:]
    /// Where it ends: a path without links.
    package var path: String

    /// MAXSYMLINKS of the kernel (path_resolution(7)).
    private static let linksLimit = 40

    /// - Returns: nil when something on the way is not there; the walk then tells nothing.
    package static func follow(_ path: String, in tree: some FileTree) throws(PackFailure) -> LinkWalk? {
        precondition(path.hasPrefix("/"), "paths of a tree are absolute")
        var walk = LinkWalk(path: "")
        var left = parts(path)
        var count = 0
        while !left.isEmpty {
            let name = left.removeFirst()
            if name == "." { continue }
            if name == ".." {
                walk.path = String(walk.path[..<(walk.path.lastIndex(of: "/") ?? walk.path.startIndex)])
                continue
            }
            let next = walk.path + "/" + name
            switch try tree.entry(next) {
            case nil: return nil
            case .link(let target)?:
                count += 1
                guard count <= linksLimit else { throw PackFailure("\(path): links lead in a circle") }
                walk.links[next] = target
                if target.hasPrefix("/") { walk.path = "" }
                left = parts(target) + left
            default: walk.path = next
            }
        }
        if walk.path.isEmpty { walk.path = "/" }
        return walk
    }

    private static func parts(_ path: String) -> ArraySlice<String> { path.split(separator: "/").map(String.init)[...] }
}
