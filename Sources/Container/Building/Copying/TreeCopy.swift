internal import Engine
internal import Glibc
internal import Images
internal import Linux
internal import OCI

/// Takes files of a `SourceTree`: computes a digest over what is copied and, when there is a target, copies it. Both
/// in one walk, so that the digest is of the very bytes that were written.
///
/// Invariants
/// 1. The digest says everything that the copy depends on and nothing else: names, kinds, modes, contents, targets of
///    links, and for stages and images owners and attributes; no times. (test: `the digest of a tree is of its contents, not of its times`)
/// 2. No link of the source or of the target is followed. (test: `a link below a copied directory is copied as a link`)
/// 3. Files that are no data are refused: sockets and devices. (test: `a context's pipe is made anew and never opened`)
final class TreeCopy {
    struct FileKey: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    let tree: SourceTree
    let rules: CopyRules
    let target: CopyTarget?
    let cancellation: Cancellation
    var hasher = KeyHasher()
    /// Where the first name of a file with several was copied to.
    var copies: [FileKey: (directory: String, name: String, number: Int)] = [:]
    var lastNumber = 0
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 64)

    init(_ tree: SourceTree, _ rules: CopyRules, into target: CopyTarget?, _ cancellation: Cancellation) {
        self.tree = tree
        self.rules = rules
        self.target = target
        self.cancellation = cancellation
    }

    deinit { room.deallocate() }

    /// The digest of everything taken so far.
    var digest: Digest { hasher.finish() }

    /// Takes a file, link target, pipe: what is no directory.
    func take(file found: SourceTree.Found, to directory: CopyPlace?, as name: String) throws(BuildFailure) {
        guard let last = found.parts.last else {
            throw BuildFailure(.badRequest, "the root of \(tree.title) is a directory")
        }
        let parent = try building { () throws(SystemError) in
            SharedFD(try tree.open(found.parts.dropLast(), directory: true))
        }
        // What it will be called is the destination's, which is in the key; into a directory it keeps this name.
        hasher.add(found.name)
        try entry(last, in: parent, parts: found.parts, to: directory, as: name, depth: 0)
    }

    /// Takes what is in a directory, without the directory itself.
    func take(contentsOf found: SourceTree.Found, to directory: CopyPlace?) throws(BuildFailure) {
        let source = try building { () throws(SystemError) in
            SharedFD(try tree.open(found.parts, directory: true))
        }
        hasher.add("contents")
        try contents(of: source, parts: found.parts, to: directory, depth: 0)
    }

    /// Takes the bytes of an archive for the digest: unpacking it is somebody else's.
    func take(archive found: SourceTree.Found) throws(BuildFailure) {
        hasher.add("archive")
        let fd = try building { () throws(SystemError) in SharedFD(try tree.open(found.parts, directory: false)) }
        try copy(fd, to: nil, found.parts)
    }

    /// Takes a text of the Dockerfile.
    func take(
        text: String, named ownName: String, to directory: CopyPlace?, as name: String, at time: FileTime
    ) throws(BuildFailure) {
        hasher.add("text")
        hasher.add(ownName)
        hasher.add(text)
        guard let target, let directory else { return }
        try target.makeRoom(name, at: directory.raw)
        let rules = rules
        try building { () throws(SystemError) in
            let file = try Files.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: directory.raw)
            try Files.writeAll(Array(text.utf8), to: file.raw, name: name)
            let owner = rules.owner ?? (0, 0)
            try FileEntries.setOwner(owner.user, owner.group, of: file.raw, name: name)
            try FileEntries.setMode(rules.mode ?? 0o644, of: file.raw, name: name)
            try FileEntries.setTime(target.time(time), of: file.raw, name: name)
        }
    }

    // MARK: - Walking

    private func contents(
        of source: SharedFD, parts: [String], to directory: CopyPlace?, depth: Int
    ) throws(BuildFailure) {
        guard depth <= SourceTree.depthLimit else {
            throw BuildFailure(.badRequest, "directories of \(tree.title) are more than \(depth - 1) deep")
        }
        let path = parts.joined(separator: "/")
        let names = try building { () throws(SystemError) in try Files.list(source.raw, name: path) }
        for name in names.sorted(by: SourceTree.precedes) {
            guard !name.unicodeScalars.contains("\u{FFFD}") else {
                throw BuildFailure(.badRequest, "\"\(path)/\(name)\" in \(tree.title): the name is not UTF-8; rename it")
            }
            try entry(name, in: source, parts: parts + [name], to: directory, as: name, depth: depth)
        }
        hasher.add("end")
    }

    private func entry(
        _ name: String, in source: SharedFD, parts: [String], to directory: CopyPlace?, as newName: String, depth: Int
    ) throws(BuildFailure) {
        guard !cancellation.isRequested else { throw .cancelled }
        let status = try building { () throws(SystemError) in try FileEntries.status(name, at: source.raw) }
        guard tree.isSeen(parts, status) else { return }
        switch status.file.kind {
        case .regular: try file(name, in: source, parts, to: directory, as: newName)
        case .directory: try self.directory(name, in: source, parts, to: directory, as: newName, depth)
        case .link: try link(name, in: source, status, to: directory, as: newName)
        case .pipe: try pipe(name, status, to: directory, as: newName)
        case .socket, .characterDevice, .blockDevice:
            throw BuildFailure(
                .badRequest, "\"\(parts.joined(separator: "/"))\" in \(tree.title) is a socket or device, which no layer "
                    + "keeps; remove it, or name it in .dockerignore")
        }
    }

    private func directory(
        _ name: String, in source: SharedFD, _ parts: [String], to parent: CopyPlace?, as newName: String, _ depth: Int
    ) throws(BuildFailure) {
        let fd = try building { () throws(SystemError) in
            SharedFD(try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: source.raw))
        }
        // A directory that is ignored itself is there only for what is seen below it.
        if !tree.isSeenItself(parts) { guard try hasSeenContent(fd, parts, depth) else { return } }
        let status = try building { () throws(SystemError) in try FileEntries.status(of: fd.raw, name: name) }
        note("directory", name, status)
        let attributes = try attributes(of: fd, name)
        let made = try parent.map { parent throws(BuildFailure) in try makeDirectory(newName, in: parent) }
        try contents(of: fd, parts: parts, to: made, depth: depth + 1)
        if let made { try describe(made.fd, newName, status, attributes) }
    }

    /// Makes a directory of the copy, or takes one that is there; what is no directory is in the way.
    private func makeDirectory(_ name: String, in parent: CopyPlace) throws(BuildFailure) -> CopyPlace {
        do throws(SystemError) {
            do throws(SystemError) { try Files.makeDirectory(name, at: parent.raw, mode: 0o700) } catch {
                guard error.code == .exists else { throw error }
            }
            let made = try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: parent.raw)
            return CopyPlace(SharedFD(made), path: parent.path + "/" + name)
        } catch {
            guard error.code == .notDirectory || error.code == .tooManyLinks else { throw BuildFailure(error) }
            throw BuildFailure(.badRequest, "\"\(name)\" is no directory in the image, and what is copied there is one")
        }
    }

    private func hasSeenContent(_ fd: SharedFD, _ parts: [String], _ depth: Int) throws(BuildFailure) -> Bool {
        guard depth <= SourceTree.depthLimit else { return false }
        let names = try building { () throws(SystemError) in
            // Opened anew: listing moves a directory's position to its end.
            let again = try Files.open(".", O_RDONLY | O_DIRECTORY, at: fd.raw)
            return try Files.list(again.raw, name: parts.last ?? "")
        }
        for name in names {
            let child = parts + [name]
            let isSeenItself = tree.isSeenItself(child)
            if isSeenItself { return true }
            let status = try building { () throws(SystemError) in try FileEntries.status(name, at: fd.raw) }
            guard status.file.kind == .directory else { continue }
            let below = try building { () throws(SystemError) in
                SharedFD(try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: fd.raw))
            }
            if try hasSeenContent(below, child, depth + 1) { return true }
        }
        return false
    }

    // MARK: - Descriptions

    func note(_ kind: String, _ name: String, _ status: EntryStatus) {
        hasher.add(kind)
        hasher.add(name)
        hasher.add(Int(status.file.permissions))
        if tree.keepsOwners { hasher.add("\(status.file.owner):\(status.file.group)") }
    }

    func owner(of status: EntryStatus) -> (user: UInt32, group: UInt32) {
        rules.owner ?? (tree.keepsOwners ? (status.file.owner, status.file.group) : (0, 0))
    }

    struct Attribute {
        var name: String
        var value: [UInt8]
    }

    /// What the layers of a stage can say; a context's are its machine's.
    func attributes(of fd: SharedFD, _ name: String) throws(BuildFailure) -> [Attribute] {
        guard tree.keepsOwners else { return [] }
        let found = try building { () throws(SystemError) in
            var found: [Attribute] = []
            for attribute in try ExtendedAttributes.names(of: fd.raw, file: name) where Self.isKept(attribute) {
                guard let value = try ExtendedAttributes.value(attribute, of: fd.raw, file: name) else { continue }
                found.append(Attribute(name: attribute, value: value))
            }
            return found
        }
        hasher.add(found.count)
        for attribute in found {
            hasher.add(attribute.name)
            hasher.add(attribute.value)
        }
        return found
    }

    private static func isKept(_ attribute: String) -> Bool {
        attribute == "security.capability" || attribute.hasPrefix("system.posix_acl_")
            || (attribute.hasPrefix("user.") && !attribute.hasPrefix("user.overlay."))
    }

    /// Owner first: changing it takes capabilities and set-ID bits away (chown(2)).
    func describe(
        _ made: SharedFD, _ name: String, _ status: EntryStatus, _ attributes: [Attribute]
    ) throws(BuildFailure) {
        guard let target else { return }
        let (owner, mode) = (owner(of: status), rules.mode ?? status.file.permissions)
        try building { () throws(SystemError) in
            try FileEntries.setOwner(owner.user, owner.group, of: made.raw, name: name)
            for attribute in attributes {
                try ExtendedAttributes.set(attribute.name, attribute.value, of: made.raw, file: name)
            }
            try FileEntries.setMode(mode, of: made.raw, name: name)
            try FileEntries.setTime(target.time(status.modified), of: made.raw, name: name)
        }
    }

    /// Gives a target directory that was just made for a source directory its mode, owner and time.
    func describe(_ made: CopyPlace, like found: SourceTree.Found) throws(BuildFailure) {
        try describe(made.fd, found.name, found.status, [])
    }

    static func changed(_ parts: [String]) -> BuildFailure {
        BuildFailure(.conflict, "\"\(parts.joined(separator: "/"))\" changed while it was copied; try again")
    }
}
