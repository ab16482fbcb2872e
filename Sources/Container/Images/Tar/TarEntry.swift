package import Linux

/// One entry of a tar archive, its name checked.
package struct TarEntry: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Its bytes follow; with holes when it is sparse.
        case file
        case directory
        case symbolicLink(target: String)
        /// Another name of an entry that came before.
        case hardLink(target: EntryName)
        case pipe
        case device(block: Bool, major: UInt32, minor: UInt32)
    }

    package var name: EntryName
    package var kind: Kind
    /// Permission bits, octal 7777.
    package var mode: UInt32
    package var owner: UInt32
    package var group: UInt32
    package var modified: FileTime
    /// Bytes of a file, holes included; 0 for everything else.
    package var size: Int
    /// Extended attributes, as in SCHILY.xattr.
    package var attributes: [Attribute]

    package struct Attribute: Hashable, Sendable {
        package var name: String
        package var value: [UInt8]

        package init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }
}

/// A name in an archive: components below the root, none of them empty, ".", ".." or with a slash.
///
/// Invariants
/// 1. What it names is below the directory that it is resolved in. (test: `CVE-2026-20613: names that lead out are refused`)
package struct EntryName: Hashable, Sendable, CustomStringConvertible {
    /// Empty for the root itself ("./").
    package let components: [Substring]

    /// - Throws: `ArchiveFailure` for an absolute name, one with "..", and one that is too long or too deep.
    package init(_ text: String, depth: Int = ArchiveLimits.standard.depth) throws(ArchiveFailure) {
        func refuse(_ why: String) -> ArchiveFailure { ArchiveFailure(.refused, entry: text, why) }
        guard !text.isEmpty else { throw refuse("it has no name.") }
        guard text.utf8.first != UInt8(ascii: "/") else {
            throw refuse("its name is absolute; names in an archive are below the directory it is unpacked to.")
        }
        guard text.utf8.count <= ArchiveLimits.nameBytes else {
            throw refuse("its name has \(text.utf8.count) bytes; \(ArchiveLimits.nameBytes) are possible.")
        }
        let parts = text.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else { throw refuse("its name leads upwards (\"..\").") }
        guard parts.count <= depth else { throw refuse("it lies \(parts.count) directories deep; \(depth) are possible.") }
        guard parts.allSatisfy({ $0.utf8.count <= ArchiveLimits.componentBytes }) else {
            throw refuse("a part of its name has more than \(ArchiveLimits.componentBytes) bytes.")
        }
        components = parts
    }

    /// The last component; nil for the root.
    package var last: String? { components.last.map(String.init) }
    /// The path of the directory that it is in; empty for the root.
    package var parent: String { components.dropLast().joined(separator: "/") }
    package var path: String { components.joined(separator: "/") }
    package var description: String { path.isEmpty ? "." : path }
}
