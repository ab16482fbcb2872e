internal import Engine
internal import Glibc
internal import Images
internal import Linux
internal import OCI

/// One COPY or ADD: finds its sources, and hashes them or copies them.
///
/// Where things go follows BuildKit: a directory's contents into the destination, a file to the destination, or into it
/// when that is a directory or was written as one.
struct CopyStep: Sendable {
    let action: CopyAction
    let tree: SourceTree
    /// Of the texts that the Dockerfile itself holds.
    let textTime: FileTime

    /// The digest of what would be copied.
    func digest(_ cancellation: Cancellation) throws(BuildFailure) -> Digest {
        try walk(into: nil, CopyRules(), cancellation)
    }

    /// Copies, and returns the digest of what was copied.
    func copy(into target: CopyTarget, _ cancellation: Cancellation) throws(BuildFailure) -> Digest {
        let owner = try action.owner.map { text throws(BuildFailure) in
            try CopyRules.owner(text, users: Users.inRoot(target.root.raw))
        }
        return try walk(into: target, CopyRules(owner: owner, mode: action.mode), cancellation)
    }

    private func walk(
        into target: CopyTarget?, _ rules: CopyRules, _ cancellation: Cancellation
    ) throws(BuildFailure) -> Digest {
        let run = TreeCopy(tree, rules, into: target, cancellation)
        for source in action.sources {
            switch source {
            case .file(let name, let text):
                let (directory, newName) = try place(of: name, target, rules)
                try run.take(text: text, named: name, to: directory, as: newName, at: textTime)
            case .path(let path):
                let found = try tree.find(path)
                guard found.count == 1 || action.isDirectory else {
                    throw BuildFailure(
                        .badRequest, "\"\(path)\" stands for \(found.count) files: end the destination with a \"/\"")
                }
                for one in found { try take(one, run, target, rules, cancellation) }
            }
        }
        return run.digest
    }

    private func take(
        _ found: SourceTree.Found, _ run: TreeCopy, _ target: CopyTarget?, _ rules: CopyRules,
        _ cancellation: Cancellation
    ) throws(BuildFailure) {
        if found.status.file.kind == .directory {
            guard let target else { return try run.take(contentsOf: found, to: nil) }
            let isNew = try target.look(action.destination).status == nil
            let directory = try target.directory(action.destination, owner: rules.owner ?? (0, 0))
            try run.take(contentsOf: found, to: directory)
            if isNew { try run.describe(directory, like: found) }
            return
        }
        if action.unpacksArchives, found.status.file.kind == .regular, try unpack(found, run, target, rules, cancellation) {
            return
        }
        let (directory, name) = try place(of: found.name, target, rules)
        try run.take(file: found, to: directory, as: name)
    }

    /// The directory and the name that a file is copied to; without a target only the name that counts for the digest.
    private func place(
        of name: String, _ target: CopyTarget?, _ rules: CopyRules
    ) throws(BuildFailure) -> (CopyPlace?, String) {
        // Whether the destination is a directory already is decided by the layers below, which are in the key.
        guard let target else { return (nil, name) }
        let there = try target.look(action.destination)
        let owner = rules.owner ?? (0, 0)
        if action.isDirectory || there.status?.file.kind == .directory {
            return (try target.directory(action.destination, owner: owner), name)
        }
        guard let last = there.parts.last else {
            throw BuildFailure(.badRequest, "the destination is the root, and what is copied there is a file")
        }
        return (try target.directory("/" + there.parts.dropLast().joined(separator: "/"), owner: owner), last)
    }

    /// ADD: false when the file is no archive.
    private func unpack(
        _ found: SourceTree.Found, _ run: TreeCopy, _ target: CopyTarget?, _ rules: CopyRules,
        _ cancellation: Cancellation
    ) throws(BuildFailure) -> Bool {
        func open() throws(BuildFailure) -> SharedFD {
            try building { () throws(SystemError) in SharedFD(try tree.open(found.parts, directory: false)) }
        }
        guard try LocalArchive.isArchive(try open(), name: found.name) else { return false }
        guard rules.mode == nil, action.mode == nil else {
            throw BuildFailure(.badRequest, "--chmod is not supported for an archive (\(found.name)): its entries have modes")
        }
        // As a file without a target: the archive's bytes are what counts.
        try run.take(archive: found)
        guard let target else { return true }
        let place = try target.directory(action.destination, owner: rules.owner ?? (0, 0))
        try LocalArchive.unpack(
            try open(), name: found.name, into: place, of: target, owner: rules.owner, cancellation)
        return true
    }
}
