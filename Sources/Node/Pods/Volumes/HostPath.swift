import JSON
import Linux

/// A file or directory of the machine: core/v1.HostPathVolumeSource.
struct HostPath: Sendable {
    let path: String
    let type: String

    init(_ json: JSONValue) {
        path = json["path"]?.string ?? ""
        type = json["type"]?.string ?? ""
    }

    /// - Parameter mode: of a directory that is made.
    func place(madeWith mode: UInt32 = 0o755) async throws(ConfigProblem) -> PodVolumes.Place {
        let (path, type) = (path, type)
        guard path.hasPrefix("/"), !path.split(separator: "/").contains(".."), !path.utf8.contains(0) else {
            throw ConfigProblem("hostPath \"\(path)\": write an absolute path without \"..\"")
        }
        let kind = try await PodVolumes.onDisk { () throws(SystemError) -> FileStatus.Kind? in
            if !Files.exists(path) { try Self.make(path, type, mode) }
            return try? Files.status(path).kind
        }
        let wanted: (kind: FileStatus.Kind, words: String)? =
            switch type {
            case "Directory", "DirectoryOrCreate": (.directory, "a directory")
            case "File", "FileOrCreate": (.regular, "a file")
            case "Socket": (.socket, "a socket file")
            case "CharDevice": (.characterDevice, "a character device")
            case "BlockDevice": (.blockDevice, "a block device")
            default: nil
            }
        guard let kind else { throw ConfigProblem("hostPath type check failed: \(path) does not exist") }
        if let wanted, wanted.kind != kind {
            throw ConfigProblem("hostPath type check failed: \(path) is not \(wanted.words)")
        }
        return PodVolumes.Place(path: path)
    }

    /// Without a type the runtime makes a directory, as others do.
    private static func make(_ path: String, _ type: String, _ mode: UInt32) throws(SystemError) {
        switch type {
        case "", "DirectoryOrCreate":
            try Files.makeDirectories(path, mode: 0o755)
            guard mode != 0o755 else { return }
            let directory = try Files.open(path, 0)
            try FileEntries.setMode(mode, of: directory.raw, name: path)
        // O_WRONLY | O_CREAT
        case "FileOrCreate": _ = try Files.open(path, 0o1 | 0o100, mode: 0o644)
        default: break
        }
    }
}
