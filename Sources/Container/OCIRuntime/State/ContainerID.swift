/// The id that a manager gives a container: the name of a directory, so nothing else may fit in it.
package enum ContainerID {
    /// Bytes of an id at most: a file's name (NAME_MAX).
    static let limit = 255

    /// - Throws: for what is no plain name. The words are runc's.
    static func check(_ id: String) throws(RuntimeFailure) {
        let isPlain = id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isPlain, !id.isEmpty, id.utf8.count <= limit, id != ".", id != "..", !id.hasPrefix("-") else {
            let shown = id.utf8.count <= 64 ? "\"\(id)\"" : "of \(id.utf8.count) bytes"
            throw RuntimeFailure(
                "invalid container ID format \(shown): expected up to \(limit) letters, digits and any of _ + - .")
        }
    }
}
