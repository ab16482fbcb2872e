package import JSON

/// One state of a file: another inode, length or time of change is another version.
package struct FileVersion: Hashable, Sendable {
    package var path: String
    package var inode: UInt64
    package var size: Int
    /// Nanoseconds since 1970.
    package var modified: Int

    package init(path: String, inode: UInt64, size: Int, modified: Int) {
        self.path = path
        self.inode = inode
        self.size = size
        self.modified = modified
    }

    package var json: JSONValue {
        [
            "path": .string(path), "inode": .string("\(inode)"), "size": .integer(Int64(size)),
            "modified": .integer(Int64(modified)),
        ]
    }

    package init?(json: JSONValue) {
        guard let path = json["path"]?.string, let inode = json["inode"]?.string.flatMap({ UInt64($0) }),
            let size = json["size"]?.integer, let modified = json["modified"]?.integer
        else { return nil }
        self.init(path: path, inode: inode, size: Int(size), modified: Int(modified))
    }
}
