/// What a name that begins with ".wh." means (image-spec, layer.md, "Whiteouts").
enum Whiteout: Hashable {
    /// The entry of this name of the layers below is gone.
    case entry(String)
    /// Everything that the layers below have in the directory is gone.
    case directory
    /// Bookkeeping of AUFS (".wh..wh.plnk"), which means nothing elsewhere.
    case bookkeeping

    static let prefix = ".wh."
    static let opaqueName = ".wh..wh..opq"

    /// nil for an ordinary name.
    init?(_ name: EntryName) throws(ArchiveFailure) {
        guard !name.components.dropLast().contains(where: { $0.hasPrefix(Self.prefix) }) else {
            throw ArchiveFailure(.refused, entry: name.path, "it is in a directory whose name is that of a whiteout.")
        }
        guard let last = name.last, last.hasPrefix(Self.prefix) else { return nil }
        let hidden = String(last.dropFirst(Self.prefix.count))
        if last == Self.opaqueName {
            self = .directory
        } else if hidden.hasPrefix(Self.prefix) {
            self = .bookkeeping
        } else if hidden.isEmpty || hidden == "." || hidden == ".." {
            throw ArchiveFailure(.refused, entry: name.path, "it is a whiteout of nothing that a directory can hold.")
        } else {
            self = .entry(hidden)
        }
    }
}
