package import Images
import Linux

/// Writes planned layers. Blocks.
///
/// Times: files have their own, which packages brought; directories and links have none (1970), since installing anything
/// changes theirs. Owners and modes are those of this machine, without setuid and setgid: sandboxes honour neither.
package struct LayerWriting<Tree: FileTree>: Sendable {
    private let tree: Tree

    package init(_ tree: Tree) { self.tree = tree }

    /// Directories that programs take for granted, with their modes.
    private static var standing: [(path: String, mode: UInt32)] {
        [
            ("dev", 0o755), ("etc", 0o755), ("proc", 0o555), ("root", 0o700), ("run", 0o755), ("sys", 0o555),
            ("tmp", 0o1777),
            ("usr", 0o755), ("usr/bin", 0o755), ("usr/lib", 0o755), ("usr/lib64", 0o755), ("usr/sbin", 0o755),
            ("var", 0o755),
            ("var/tmp", 0o1777),
        ]
    }

    package func write(_ layer: PlannedLayer, to sink: any ByteSink) throws(PackFailure) -> WrittenLayer {
        do throws(ArchiveFailure) {
            let composer = try LayerComposer(sink)
            if layer.kind == .skeleton { try writeSkeleton(layer, composer) } else { try writeFiles(layer, composer) }
            return try composer.finish()
        } catch { throw PackFailure("write the layer of \(layer.title): \(error)") }
    }

    private func writeSkeleton(_ layer: PlannedLayer, _ composer: LayerComposer) throws(ArchiveFailure) {
        for (path, mode) in Self.standing {
            var record = TarRecord(name: path, kind: .directory)
            record.mode = mode
            try composer.add(record)
        }
        for (path, target) in layer.links.sorted(by: { $0.key < $1.key }) { try composer.add(Self.link(path, target)) }
        // Who looks users up finds root and nobody; a program's own users are files of this machine, when it read them.
        try composer.add(TarRecord(name: "etc/group"), contents: Array("root:x:0:\nnogroup:x:65534:\n".utf8))
        try composer.add(
            TarRecord(name: "etc/passwd"),
            contents: Array(
                "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n".utf8))
    }

    private func writeFiles(_ layer: PlannedLayer, _ composer: LayerComposer) throws(ArchiveFailure) {
        var written = Set(Self.standing.map(\.path))
        var names: [FileKey: String] = [:]
        let all = layer.paths.map { ($0, nil as String?) } + layer.links.map { ($0.key, $0.value) }
        for (path, target) in all.sorted(by: { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }) {
            try writeDirectories(above: path, composer, &written)
            if let target {
                try composer.add(Self.link(path, target))
            } else {
                try writeOne(path, composer, &written, &names)
            }
        }
    }

    private struct FileKey: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    private func writeDirectories(
        above path: String, _ composer: LayerComposer, _ written: inout Set<String>
    ) throws(ArchiveFailure) {
        var directory = ""
        for part in path.split(separator: "/").dropLast() {
            directory += directory.isEmpty ? String(part) : "/" + part
            if written.insert(directory).inserted { try writeDirectory("/" + directory, composer) }
        }
    }

    private func writeDirectory(_ path: String, _ composer: LayerComposer) throws(ArchiveFailure) {
        var record = TarRecord(name: String(path.dropFirst()), kind: .directory)
        record.mode = 0o755
        if let entry = try? tree.entry(path), case .directory(let status) = entry {
            record.mode = status.file.permissions & 0o1777
            (record.owner, record.group) = (status.file.owner, status.file.group)
        }
        try composer.add(record)
    }

    private func writeOne(
        _ path: String, _ composer: LayerComposer, _ written: inout Set<String>, _ names: inout [FileKey: String]
    ) throws(ArchiveFailure) {
        let name = String(path.dropFirst())
        let fd: SharedFD
        let status: EntryStatus
        do throws(SystemError) {
            fd = SharedFD(try Files.open(path, 0))
            status = try FileEntries.status(of: fd.raw, name: path)
        } catch { throw ArchiveFailure(error, entry: path) }
        defer { withExtendedLifetime(fd) {} }
        if status.file.kind == .directory {
            if written.insert(name).inserted { try writeDirectory(path, composer) }
            return
        }
        guard status.file.kind == .regular else {
            throw ArchiveFailure(.refused, entry: path, "it became something else while it was packed; try again.")
        }
        var record = TarRecord(name: name)
        record.mode = status.file.permissions & 0o777
        (record.owner, record.group) = (status.file.owner, status.file.group)
        record.modified = FileTime(seconds: status.modified.seconds)
        if status.links > 1 {
            let key = FileKey(device: status.file.device, inode: status.file.inode)
            if let first = names[key] {
                record.kind = .hardLink(target: first)
                return try composer.add(record)
            }
            names[key] = name
        }
        record.size = status.file.size
        try composer.add(record, copying: fd.raw)
    }

    private static func link(_ path: String, _ target: String) -> TarRecord {
        var record = TarRecord(name: String(path.dropFirst()), kind: .symbolicLink(target: target))
        record.mode = 0o777
        return record
    }
}
