internal import Glibc
internal import Linux

/// Deliveries that are work on files. Each can be done again after a death in the middle, and has one effect.
enum FileDelivery {
    enum Result: Hashable, Sendable {
        case done
        case failed(String)
        /// One before it in its lane has failed.
        case heldBack
    }

    /// Delivers letters in their order; the directories are synced once for all of them. Blocks.
    static func perform(_ letters: [Letter]) -> [Result] {
        var failedLanes: Set<String> = []
        var changed: [String: [Int]] = [:]
        var results: [Result] = []
        for (index, letter) in letters.enumerated() {
            guard !failedLanes.contains(letter.lane) else {
                results.append(.heldBack)
                continue
            }
            do throws(SystemError) {
                for directory in try perform(letter) { changed[directory, default: []].append(index) }
                results.append(.done)
            } catch {
                failedLanes.insert(letter.lane)
                results.append(.failed("\(error)"))
            }
        }
        for (directory, indices) in changed {
            do throws(SystemError) { try Files.synchronize(directory: directory) } catch {
                for index in indices { results[index] = .failed("\(error)") }
            }
        }
        return results
    }

    /// - Returns: directories whose entries have changed, to be synced.
    private static func perform(_ letter: Letter) throws(SystemError) -> [String] {
        switch letter.delivery {
        case .write(let directory, let name):
            try write(letter.payload, name, into: directory)
            return [directory]
        case .remove(let file):
            guard try isStill(file) else { return [] }
            try Files.remove(file.path)
            return [directory(of: file.path)]
        case .move(let file, let target):
            guard try move(file, to: target) else { return [] }
            return [target, directory(of: file.path)]
        case .invoke, .send: preconditionFailure("functions and queues are reached through the database")
        }
    }

    /// A reader sees the whole file or none: it is written aside, under a name that no pattern of a watched directory takes.
    private static func write(_ bytes: [UInt8], _ name: String, into directory: String) throws(SystemError) {
        try Files.makeDirectories(directory)
        let aside = "\(directory)/.\(name).part"
        let fd = try Files.open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
        do {
            try Files.writeAll(bytes, to: fd.raw, name: aside)
            try Files.synchronize(fd.raw, name: aside)
            try Files.rename(aside, to: "\(directory)/\(name)")
        } catch {
            try? Files.remove(aside)
            throw error
        }
    }

    private static func move(_ file: FileVersion, to target: String) throws(SystemError) -> Bool {
        try Files.makeDirectories(target)
        guard try isStill(file) else { return false }
        let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
        try Files.rename(file.path, to: "\(target)/\(name)")
        return true
    }

    /// A file that was written anew in the meantime is another event's.
    private static func isStill(_ file: FileVersion) throws(SystemError) -> Bool {
        do { return try FileVersion(of: file.path) == file } catch {
            if error.code == .noEntry { return false }
            throw error
        }
    }

    private static func directory(of path: String) -> String {
        let slash = path.lastIndex(of: "/")!
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension FileVersion {
    /// The version that a path leads to now; symbolic links are not followed.
    init(of path: String) throws(SystemError) {
        let status = try FileEntries.status(path, at: Files.here)
        self.init(
            path: path, inode: status.file.inode, size: status.file.size,
            modified: status.modified.seconds * 1_000_000_000 + status.modified.nanoseconds)
    }
}
