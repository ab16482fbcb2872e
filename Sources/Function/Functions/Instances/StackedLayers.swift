internal import Crypto
internal import JSON
internal import Linux

/// Several layers as one directory for /opt: hard links to the files of each, where a later layer hides an earlier one.
///
/// An overlay would be one more mount of each instance and would have to be taken down; links cost nothing once made,
/// and what they point to is read-only for every instance. Made aside and renamed, so that a stack is whole or not there.
package struct StackedLayers: Sendable {
    private let directory: String

    package init(_ directory: String) { self.directory = directory }

    /// Removes what a former node made: its instances are gone, and layers may be, too.
    func clear() throws(SystemError) {
        if Files.exists(directory) { try Files.removeTree(directory) }
        try Files.makeDirectories(directory)
    }

    /// The directory of a stack, made unless it is there.
    func directory(for layers: [String]) async throws(SystemError) -> String {
        let digest = SHA256.hash(data: Array(layers.joined(separator: "\n").utf8))
        let name = Hexadecimal.text(Array(digest.prefix(16)))
        let (path, directory) = ("\(directory)/\(name)", directory)
        if Files.exists(path) { return path }
        return try await BlockingPool.shared.run { () throws(SystemError) -> String in
            let aside = "\(directory)/.\(name)-\(UInt64.random(in: .min ... .max))"
            try Files.makeDirectories(aside)
            do throws(SystemError) {
                for layer in layers { try Self.link(layer, into: aside) }
                try Files.rename(aside, to: path)
            } catch {
                try? Files.removeTree(aside)
                // Somebody else made the same in the meantime.
                guard Files.exists(path) else { throw error }
            }
            return path
        }
    }

    private static func link(_ source: String, into target: String) throws(SystemError) {
        let from = try Files.place(source)
        let to = try Files.place(target)
        for name in try Files.list(source) {
            let status = try Files.status(name, at: from.raw, followLinks: false)
            if status.kind == .directory {
                if let present = try? Files.status(name, at: to.raw, followLinks: false), present.kind != .directory {
                    try Files.removeTree(name, at: to.raw)
                }
                if !Files.exists("\(target)/\(name)") { try Files.makeDirectory(name, at: to.raw) }
                try link("\(source)/\(name)", into: "\(target)/\(name)")
            } else {
                if (try? Files.status(name, at: to.raw, followLinks: false)) != nil {
                    try Files.removeTree(name, at: to.raw)
                }
                if status.kind == .link {
                    try FileEntries.makeLink(to: try Files.link(name, at: from.raw), named: name, at: to.raw)
                } else {
                    try FileEntries.link(name, at: from.raw, to: name, at: to.raw)
                }
            }
        }
    }
}
