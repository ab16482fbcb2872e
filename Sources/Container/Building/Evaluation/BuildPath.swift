/// Paths in an image as text: Go's path.Clean and path.Join, which Docker's rules are written in.
package enum BuildPath {
    /// An absolute path without ".", ".." and doubled slashes; `path` begins in `directory` unless it is absolute.
    package static func joined(_ directory: String, _ path: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : directory + "/" + path).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The last part; empty for "/".
    package static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "" }

    /// Below a root, without the "/" in front; "." for the root itself.
    static func relative(_ path: String) -> String {
        let rest = path.drop { $0 == "/" }
        return rest.isEmpty ? "." : String(rest)
    }
}
