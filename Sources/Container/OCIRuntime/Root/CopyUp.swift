import Linux

/// Fills a tmpfs with what its place held before (`tmpcopyup`): directories, files, links, with owners and modes.
///
/// Bounded: what does not fit in the tmpfs is an error, and links are copied, never followed.
enum CopyUp {
    private static let depthLimit = 64
    private static let readDirectory: CInt = 0o200_000 | 0o400_000
    private static let noFollow: CInt = 0o400_000

    /// - Parameters:
    ///   - place: a directory, O_PATH.
    ///   - mount: the root of the detached tmpfs.
    static func copy(from place: CInt, to mount: CInt, name: String) throws(SystemError) {
        let from = try Files.open(".", readDirectory, at: place)
        let to = try Files.open(".", readDirectory, at: mount)
        try copyEntries(from.raw, to.raw, name, depth: 0)
        let status = try FileEntries.status(of: from.raw, name: name)
        try FileEntries.setOwner(status.file.owner, status.file.group, of: to.raw, name: name)
        try FileEntries.setMode(status.file.permissions, of: to.raw, name: name)
    }

    private static func copyEntries(_ from: CInt, _ to: CInt, _ name: String, depth: Int) throws(SystemError) {
        guard depth < depthLimit else { throw SystemError("copy up", name, code: .tooManyLinks) }
        for entry in try Files.list(from, name: name) {
            let status = try FileEntries.status(entry, at: from)
            let path = "\(name)/\(entry)"
            switch status.file.kind {
            case .directory:
                try Files.makeDirectory(entry, at: to, mode: 0o700)
                let source = try Files.open(entry, readDirectory, at: from)
                let target = try Files.open(entry, readDirectory, at: to)
                try copyEntries(source.raw, target.raw, path, depth: depth + 1)
            case .regular: try copyFile(entry, from, to, path)
            case .link:
                let target = String(decoding: try Files.linkBytes(entry, at: from), as: UTF8.self)
                try FileEntries.makeLink(to: target, named: entry, at: to)
            case .pipe: try FileEntries.makePipe(entry, at: to)
            case .characterDevice, .blockDevice:
                try FileEntries.makeDevice(
                    entry, at: to, block: status.file.kind == .blockDevice, major: status.deviceMajor,
                    minor: status.deviceMinor)
            case .socket: continue
            }
            try FileEntries.setOwner(status.file.owner, status.file.group, of: entry, at: to)
            if status.file.kind != .link { try FileEntries.setMode(status.file.permissions, of: entry, at: to) }
        }
    }

    private static func copyFile(_ entry: String, _ from: CInt, _ to: CInt, _ path: String) throws(SystemError) {
        let source = try Files.open(entry, noFollow, at: from)
        let target = try Files.open(entry, 0o1 | 0o100 | 0o200 | noFollow, at: to)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try Descriptors.read(source.raw, into: &buffer)
            if count == 0 { return }
            try Files.writeAll(Array(buffer[..<count]), to: target.raw, name: path)
        }
    }
}
