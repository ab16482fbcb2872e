import Images
import JSON
package import Linux
import Synchronization

/// The volumes of this node: `STATE/volumes/NAME/{_data, volume.json}`.
///
/// What blocks is done under one lock: there are few volumes, and making or removing one is a handful of calls. It is
/// called through `BlockingPool`.
///
/// Invariants
/// 1. A directory that has a volume's name is whole: it is made under another name and renamed, and renamed before it
///    is removed. (test: `what a dead node had begun to make or to remove of volumes is cleared away`)
/// 2. A volume that a container has, or is about to have, is not removed. (test: `a volume in use is not removed`)
package final class VolumeStore: Sendable {
    private struct State {
        var volumes: [String: Volume] = [:]
        /// Containers on their way that will have it.
        var claims: [String: Int] = [:]
    }

    package let path: String
    private let state = Mutex(State())

    private static let beingMade = ".new-"
    private static let beingRemoved = ".removed-"
    private static let fileName = "volume.json"
    static let dataName = "_data"
    /// Says that the image's files are being copied in: what is there is not whole.
    private static let fillingName = "filling"
    /// More than a thousand labels.
    private static let recordBytesLimit = 4 << 20

    package init(directory: String) { path = directory }

    /// A directory without entries: what overlayfs wants beside a single layer.
    var empty: String { "\(path)/.empty" }

    /// Makes the directory, clears away what a node left half done, and reads the rest; a sentence for each volume that
    /// cannot be read, which is left as it is.
    package func open() throws(SystemError) -> [String] {
        try Files.makeDirectories(path, mode: 0o700)
        var remarks: [String] = []
        var volumes: [String: Volume] = [:]
        for name in try Files.list(path).sorted() {
            let directory = "\(path)/\(name)"
            if name.hasPrefix(Self.beingMade) || name.hasPrefix(Self.beingRemoved) {
                try Files.removeTree(directory)
                continue
            }
            guard !name.hasPrefix(".") else { continue }
            do {
                let bytes = try Files.read("\(directory)/\(Self.fileName)", limit: Self.recordBytesLimit)
                let volume = try Volume(lenient: try JSONParser.parse(bytes))
                guard volume.name == name else { throw NodeFailure(.system, "it is the record of \(volume.name)") }
                if Files.exists("\(directory)/\(Self.fillingName)") { try emptied(name) }
                volumes[name] = volume
            } catch { remarks.append("volume \(name) cannot be read and was left as it is: \(error)") }
        }
        try Files.makeDirectories(empty, mode: 0o700)
        state.withLock { $0.volumes = volumes }
        return remarks
    }

    package var all: [Volume] { state.withLock { $0.volumes.values.sorted { $0.name < $1.name } } }

    package func find(_ name: String) throws(NodeFailure) -> Volume {
        guard let volume = state.withLock({ $0.volumes[name] }) else {
            throw NodeFailure(.notFound, "get \(name): no such volume; \"forkless volume ls\" lists all")
        }
        return volume
    }

    /// The volume of this name, made if there is none.
    ///
    /// - Parameter isClaimed: whether somebody is about to use it: `unclaim` has to follow.
    package func make(
        _ name: String, labels: [String: String], isAnonymous: Bool, isClaimed: Bool, now: Timestamp
    ) throws(NodeFailure) -> (volume: Volume, isNew: Bool) {
        do { try ContainerSpec.validate(name: name) } catch {
            throw NodeFailure(.badRequest, "create \(name): volume name is invalid: \(error.problem)")
        }
        return try state.withLock { state throws(NodeFailure) in
            if isClaimed { state.claims[name, default: 0] += 1 }
            if let volume = state.volumes[name] { return (volume, false) }
            let volume = Volume(
                name: name, createdAt: now, labels: labels, isAnonymous: isAnonymous, mountpoint: dataPath(name))
            do throws(SystemError) { try write(volume) } catch {
                if isClaimed { Self.unclaim(name, &state) }
                throw NodeFailure(.system, "create volume \(name): \(error)")
            }
            state.volumes[name] = volume
            return (volume, true)
        }
    }

    package func unclaim(_ name: String) { state.withLock { Self.unclaim(name, &$0) } }

    private static func unclaim(_ name: String, _ state: inout State) {
        guard let count = state.claims[name] else { return }
        state.claims[name] = count > 1 ? count - 1 : nil
    }

    private func write(_ volume: Volume) throws(SystemError) {
        let new = "\(path)/\(Self.beingMade)\(volume.name)"
        try? Files.removeTree(new)
        try Files.makeDirectory(new, mode: 0o700)
        do {
            try Files.makeDirectory("\(new)/\(Self.dataName)", mode: 0o755)
            // Whatever our umask: it is for programs of any user.
            try Files.setPermissions("\(new)/\(Self.dataName)", 0o755)
            try Files.replace("\(new)/\(Self.fileName)", with: JSONWriter.bytes(volume.json))
            try Files.rename(new, to: "\(path)/\(volume.name)")
            try Files.synchronize(directory: path)
        } catch {
            try? Files.removeTree(new)
            throw error
        }
    }

    /// Removes a volume with its files.
    ///
    /// - Parameter users: the containers that have it; asked under the lock.
    package func remove(_ name: String, users: (String) -> [String]) throws(NodeFailure) {
        try state.withLock { state throws(NodeFailure) in
            guard state.volumes[name] != nil else {
                throw NodeFailure(.notFound, "get \(name): no such volume; \"forkless volume ls\" lists all")
            }
            let users = users(name) + (state.claims[name] == nil ? [] : ["one that is being created"])
            guard users.isEmpty else {
                throw NodeFailure(
                    .conflict, "remove \(name): volume is in use - [\(users.joined(separator: ", "))]: remove these first")
            }
            let removed = "\(path)/\(Self.beingRemoved)\(name)"
            do throws(SystemError) {
                try Files.rename("\(path)/\(name)", to: removed)
                state.volumes[name] = nil
                try Files.removeTree(removed)
            } catch { throw NodeFailure(.system, "remove volume \(name): \(error)") }
        }
    }

    /// What a volume's files take on the disk.
    package func bytes(of name: String) throws(SystemError) -> Int { try DiskUse.bytes(below: dataPath(name)) }

    package func dataPath(_ name: String) -> String { "\(path)/\(name)/\(Self.dataName)" }

    // Filling.

    /// Whether nothing is in it; then it is marked until `filled`, so that the next node empties it again.
    func beginFilling(_ name: String) throws(SystemError) -> Bool {
        guard try Files.list(dataPath(name)).isEmpty else { return false }
        try Files.replace("\(path)/\(name)/\(Self.fillingName)", with: [])
        return true
    }

    func filled(_ name: String) throws(SystemError) { try Files.remove("\(path)/\(name)/\(Self.fillingName)") }

    /// Takes away what was copied in so far.
    func emptied(_ name: String) throws(SystemError) {
        let data = dataPath(name)
        for entry in try Files.list(data) { try Files.removeTree("\(data)/\(entry)") }
        try Files.remove("\(path)/\(name)/\(Self.fillingName)")
    }
}
