import Linux

@testable import Packing

/// A machine's files in memory: paths with their contents, links, directories.
struct SmallTree: FileTree {
    var files: [String: [UInt8]] = [:]
    var links: [String: String] = [:]
    var modes: [String: UInt32] = [:]

    init(_ files: [String: String] = [:], links: [String: String] = [:]) {
        self.files = files.mapValues { Array($0.utf8) }
        self.links = links
    }

    private var directories: Set<String> {
        var found: Set<String> = ["/"]
        for path in Array(files.keys) + links.keys {
            var at = path
            while let slash = at.lastIndex(of: "/"), slash > at.startIndex {
                at = String(at[..<slash])
                found.insert(at)
            }
        }
        return found
    }

    func entry(_ path: String) throws(PackFailure) -> TreeEntry? {
        if let target = links[path] { return .link(target: target) }
        if let bytes = files[path] { return .file(Self.status(.regular, modes[path] ?? 0o755, bytes.count)) }
        return directories.contains(path) ? .directory(Self.status(.directory, 0o755, 0)) : nil
    }

    func read(_ path: String) throws(PackFailure) -> [UInt8] {
        guard let bytes = files[path] else { throw PackFailure("open \(path): No such file") }
        return bytes
    }

    func list(_ path: String) throws(PackFailure) -> [String] {
        let all = Array(files.keys) + links.keys + directories
        return Set(
            all.filter { $0.hasPrefix(path + "/") && !$0.dropFirst(path.count + 1).contains("/") }.map {
                String($0.dropFirst(path.count + 1))
            }
        ).sorted()
    }

    private static func status(_ kind: FileStatus.Kind, _ mode: UInt32, _ size: Int) -> EntryStatus {
        var status = try! FileEntries.status("/etc/passwd", at: Files.here)
        status.file.kind = kind
        status.file.permissions = mode
        status.file.size = size
        return status
    }
}
