internal import Glibc
internal import Linux

/// One archive being unpacked: entries in, files out.
struct UnpackRun: ~Copyable {
    private let root: SharedFD
    private let policy: UnpackPolicy
    private let base: String
    private var place: UnpackedPlace
    private var times = DirectoryTimes()
    /// Bits that the kernel takes from the mode of what is made, umask(2).
    private let mask: UInt32
    private let user = geteuid()
    private let group = getegid()
    var result = UnpackedLayer()

    init(root: SharedFD, base: String, policy: UnpackPolicy) throws(ArchiveFailure) {
        self.root = root
        self.base = base
        self.policy = policy
        place = UnpackedPlace(root: root.raw, base: base)
        mask = try forEntry("") { () throws(SystemError) in try Self.readMask() }
    }

    mutating func make(_ entry: TarEntry, _ reader: TarReader) throws(ArchiveFailure) {
        if policy.whiteouts == .overlay, let whiteout = try Whiteout(entry.name) {
            return try hide(whiteout, entry)
        }
        let entry = try decided(entry)
        let path = entry.name.path
        guard let name = entry.name.last else { return try makeRoot(entry) }
        if case .device = entry.kind, policy.devices == .leaveOut {
            result.devicesLeftOut += 1
            return
        }
        let parentPath = entry.name.parent
        let parent = try forEntry(path) { () throws(SystemError) in try place.directory(parentPath) }
        switch entry.kind {
        case .directory: try makeDirectory(entry, name, parent)
        case .file: try makeFile(entry, name, parent, reader)
        case .hardLink(let target): try makeHardLink(entry, name, parent, target)
        case .symbolicLink, .pipe, .device: try makeOther(entry, name, parent)
        }
    }

    /// Sets the times of the directories.
    mutating func finish() throws(ArchiveFailure) {
        var failure: ArchiveFailure?
        do throws(SystemError) {
            try times.forEach { path, time throws(SystemError) in
                do throws(SystemError) {
                    let directory = try place.directory(path, makes: false)
                    try FileEntries.setTime(time, of: directory.fd.raw, name: path)
                } catch {
                    // A later entry took its place.
                    guard [.noEntry, .notDirectory].contains(error.code) else { throw error }
                }
            }
        } catch { failure = ArchiveFailure(error) }
        if let failure { throw failure }
    }

    // MARK: - Kinds

    /// The entry as the policy has it.
    private func decided(_ entry: TarEntry) throws(ArchiveFailure) -> TarEntry {
        var entry = entry
        if case .device(let block, let major, let minor) = entry.kind {
            if policy.devices == .refuse {
                throw ArchiveFailure(.refused, entry: entry.name.path, "it is a device file, which is not made here.")
            }
            if !block, major == 0, minor == 0 {
                throw ArchiveFailure(
                    .refused, entry: entry.name.path, "it is the device 0:0, which overlayfs takes for a whiteout.")
            }
        }
        if case .fixed(let owner, let group) = policy.owners { (entry.owner, entry.group) = (owner, group) }
        if !policy.keepsPrivileges { entry.mode &= 0o1777 }
        return entry
    }

    private mutating func makeRoot(_ entry: TarEntry) throws(ArchiveFailure) {
        guard entry.kind == .directory else {
            throw ArchiveFailure(.refused, entry: entry.name.description, "the root can only be a directory.")
        }
        // The directory that is copied into stays as it is; the root of a layer is described by the layer.
        guard policy.replacesDirectories else { return }
        let directory = try forEntry(".") { () throws(SystemError) in try place.directory("") }
        try describe(directory.fd.raw, entry)
        // What the held one knows (whose group new entries get) may have changed.
        place.forget()
    }

    private mutating func makeDirectory(
        _ entry: TarEntry, _ name: String, _ parent: UnpackedPlace.Directory
    ) throws(ArchiveFailure) {
        let path = entry.name.path
        var hidTheOneBelow = false
        do throws(SystemError) {
            try Files.makeDirectory(name, at: parent.fd.raw, mode: 0o700)
        } catch {
            guard error.code == .exists else { throw ArchiveFailure(error, entry: path) }
            let there = try forEntry(path) { () throws(SystemError) in try FileEntries.status(name, at: parent.fd.raw) }
            if there.file.kind != .directory {
                hidTheOneBelow = there.isWhiteout
                try forEntry(path) { () throws(SystemError) in
                    try FileEntries.remove(name, at: parent.fd.raw)
                    try Files.makeDirectory(name, at: parent.fd.raw, mode: 0o700)
                }
            }
        }
        let directory = try forEntry(path) { () throws(SystemError) in
            try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: parent.fd.raw)
        }
        // A whiteout and a directory of one name: the directory starts empty, whatever the layers below have there.
        if hidTheOneBelow { try hideBelow(directory.raw, path) }
        try describe(directory.raw, entry)
        place.hold(directory, path: path, mode: entry.mode)
    }

    private mutating func describe(_ directory: CInt, _ entry: TarEntry) throws(ArchiveFailure) {
        let path = entry.name.path
        try forEntry(path) { () throws(SystemError) in
            try FileEntries.setOwner(entry.owner, entry.group, of: directory, name: path)
        }
        try setAttributes(entry, of: directory)
        try forEntry(path) { () throws(SystemError) in
            try FileEntries.setMode(entry.mode, of: directory, name: path)
            try times.add(path, entry.modified, in: root.raw)
        }
    }

    private mutating func makeFile(
        _ entry: TarEntry, _ name: String, _ parent: UnpackedPlace.Directory, _ reader: TarReader
    ) throws(ArchiveFailure) {
        let path = entry.name.path
        let plainMode = entry.mode & 0o777
        let fd = try replacing(entry, name, parent) { () throws(SystemError) in
            try Files.open(
                name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: plainMode, at: parent.fd.raw)
        }
        let raw = fd.raw
        var end = 0
        try reader.data { bytes, offset throws(ArchiveFailure) in
            try forEntry(path) { () throws(SystemError) in
                try FileEntries.write(bytes, to: raw, at: offset, name: path)
            }
            end = offset + bytes.count
        }
        try forEntry(path) { () throws(SystemError) in
            if end < entry.size { try Files.shorten(raw, to: entry.size, name: path) }
            if entry.owner != user || entry.group != group || parent.givesItsGroup {
                try FileEntries.setOwner(entry.owner, entry.group, of: raw, name: path)
            }
        }
        result.fileBytes += max(end, entry.size)
        // After the owner: changing it takes capabilities and set-ID bits away (chown(2)).
        try setAttributes(entry, of: raw)
        try forEntry(path) { () throws(SystemError) in
            if entry.mode & (mask | 0o7000) != 0 { try FileEntries.setMode(entry.mode, of: raw, name: path) }
            try FileEntries.setTime(entry.modified, of: raw, name: path)
        }
    }

    private mutating func makeHardLink(
        _ entry: TarEntry, _ name: String, _ parent: UnpackedPlace.Directory, _ target: EntryName
    ) throws(ArchiveFailure) {
        let path = entry.name.path
        guard let targetName = target.last else {
            throw ArchiveFailure(.refused, entry: path, "it is a hard link to the root.")
        }
        if target.path.utf8.elementsEqual(path.utf8) { return }
        let targetParent = target.parent
        do throws(ArchiveFailure) {
            let from = try forEntry(path) { () throws(SystemError) in
                try place.directory(targetParent, makes: false)
            }
            try replacing(entry, name, parent) { () throws(SystemError) in
                try FileEntries.link(targetName, at: from.fd.raw, to: name, at: parent.fd.raw)
            }
        } catch {
            guard case .system(let why) = error.reason, why.code == .noEntry else { throw error }
            throw ArchiveFailure(
                .refused, entry: path, "it is a hard link to \(String(reflecting: target.path)), which is not in this archive.")
        }
    }

    private mutating func makeOther(
        _ entry: TarEntry, _ name: String, _ parent: UnpackedPlace.Directory
    ) throws(ArchiveFailure) {
        let path = entry.name.path
        let directory = parent.fd.raw
        try replacing(entry, name, parent) { () throws(SystemError) in
            switch entry.kind {
            case .symbolicLink(let target): try FileEntries.makeLink(to: target, named: name, at: directory)
            case .device(let block, let major, let minor):
                try FileEntries.makeDevice(name, at: directory, block: block, major: major, minor: minor)
            default: try FileEntries.makePipe(name, at: directory)
            }
        }
        var isLink = false
        if case .symbolicLink = entry.kind { isLink = true }
        try forEntry(path) { () throws(SystemError) in
            try FileEntries.setOwner(entry.owner, entry.group, of: name, at: directory)
            if !isLink { try FileEntries.setMode(entry.mode, of: name, at: directory) }
            try FileEntries.setTime(entry.modified, of: name, at: directory)
        }
        // Those of links and devices cannot be set by descriptor, and user.* not at all (xattr(7)).
        result.attributesLeftOut += entry.attributes.count
    }

    // MARK: - Whiteouts

    private mutating func hide(_ whiteout: Whiteout, _ entry: TarEntry) throws(ArchiveFailure) {
        let path = entry.name.path
        let parentPath = entry.name.parent
        if whiteout == .bookkeeping { return }
        let parent = try forEntry(path) { () throws(SystemError) in try place.directory(parentPath) }
        guard case .entry(let name) = whiteout else {
            if parentPath.isEmpty { result.hidesLayersBelow = true }
            return try hideBelow(parent.fd.raw, path)
        }
        do throws(SystemError) {
            try FileEntries.makeDevice(name, at: parent.fd.raw, block: false, major: 0, minor: 0)
        } catch {
            guard error.code == .exists else { throw ArchiveFailure(error, entry: path) }
            // The entry is this layer's own and stays (layer.md: whiteouts are for the layers below).
            let there = try forEntry(path) { () throws(SystemError) in try FileEntries.status(name, at: parent.fd.raw) }
            guard there.file.kind == .directory else { return }
            let directory = try forEntry(path) { () throws(SystemError) in
                try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: parent.fd.raw)
            }
            try hideBelow(directory.raw, path)
        }
    }

    private func hideBelow(_ directory: CInt, _ path: String) throws(ArchiveFailure) {
        try forEntry(path) { () throws(SystemError) in
            try ExtendedAttributes.set(OverlayForm.opaque, [UInt8(ascii: "y")], of: directory, file: path)
        }
    }

    // MARK: - Parts

    /// Makes an entry; what has its name already gives way.
    private mutating func replacing<Value: ~Copyable>(
        _ entry: TarEntry, _ name: String, _ parent: UnpackedPlace.Directory, _ body: () throws(SystemError) -> Value
    ) throws(ArchiveFailure) -> Value {
        do throws(SystemError) { return try body() } catch {
            guard error.code == .exists else { throw ArchiveFailure(error, entry: entry.name.path) }
        }
        try giveWay(entry.name.path, name, parent)
        return try forEntry(entry.name.path, body)
    }

    private mutating func giveWay(
        _ path: String, _ name: String, _ parent: UnpackedPlace.Directory
    ) throws(ArchiveFailure) {
        let there = try forEntry(path) { () throws(SystemError) in try FileEntries.status(name, at: parent.fd.raw) }
        if there.file.kind == .directory, !policy.replacesDirectories {
            throw ArchiveFailure(.refused, entry: path, "there is a directory in its place; remove it first.")
        }
        try forEntry(path) { () throws(SystemError) in try Files.removeTree(name, at: parent.fd.raw) }
        place.forget()
    }

    private mutating func setAttributes(_ entry: TarEntry, of fd: CInt) throws(ArchiveFailure) {
        for attribute in entry.attributes {
            switch AttributeRules.verdict(attribute.name, keepsPrivileges: policy.keepsPrivileges) {
            case .refuse:
                throw ArchiveFailure(
                    .refused, entry: entry.name.path, "its attribute \(attribute.name) belongs to overlayfs.")
            case .leaveOut: result.attributesLeftOut += 1
            case .set:
                do throws(SystemError) {
                    try ExtendedAttributes.set(attribute.name, attribute.value, of: fd, file: entry.name.path)
                } catch {
                    guard error.code == .notSupported else { throw ArchiveFailure(error, entry: entry.name.path) }
                    result.attributesLeftOut += 1
                }
            }
        }
    }

    /// The umask without changing it, proc_pid_status(5).
    private static func readMask() throws(SystemError) -> UInt32 {
        let status = try Files.readText("/proc/thread-self/status")
        for line in status.split(separator: "\n") where line.hasPrefix("Umask:") {
            if let mask = UInt32(line.dropFirst(6).filter { $0 != "\t" && $0 != " " }, radix: 8) { return mask }
        }
        return 0o777
    }
}
