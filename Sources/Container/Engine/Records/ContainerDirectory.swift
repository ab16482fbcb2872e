import Glibc
import JSON
import Keeper
package import Linux

/// The containers on disk: `STATE/containers/<id>/container.json`, and beside it the log.
///
/// All functions block, shortly; they are called through `BlockingPool`.
///
/// Invariants
/// 1. A directory that has a container's id has its record: it is made under another name and renamed, and is
///    renamed before it is removed. (test: `what a dead node had begun to make or to remove is cleared away`)
/// 2. A record that cannot be read is reported and left as it is. (test: `an unreadable record is reported and left alone`)
package struct ContainerDirectory: Sendable {
    /// The directory of all containers.
    package let path: String
    /// The directory of their rooms.
    package let rooms: String
    /// The directory of volumes.
    package let volumes: String

    /// Beginnings of names of what is being made or removed.
    private static let beingMade = ".new-"
    private static let beingRemoved = ".removed-"
    private static let fileName = "container.json"
    /// Larger than any record: the environment and arguments of a program, twice over.
    private static let recordBytesLimit = 64 << 20

    package init(state: String) {
        path = state + "/containers"
        rooms = state + "/rooms"
        volumes = state + "/volumes"
    }

    /// Makes the directory and clears away what a node left half done.
    package func open() throws(SystemError) {
        try Files.makeDirectories(path, mode: 0o700)
        try Files.makeDirectories(rooms, mode: 0o700)
        for name in try Files.list(path) where name.hasPrefix(Self.beingMade) || name.hasPrefix(Self.beingRemoved) {
            let record = try? Self.read("\(path)/\(name)/\(Self.fileName)")
            try removeContents(of: "\(path)/\(name)", room: record?.room)
        }
    }

    /// Every record that can be read, and a sentence for each that cannot.
    package func load() throws(SystemError) -> (records: [ContainerRecord], remarks: [String]) {
        var records: [ContainerRecord] = []
        var remarks: [String] = []
        for id in try Files.list(path).sorted() where !id.hasPrefix(".") {
            let file = "\(path)/\(id)/\(Self.fileName)"
            do {
                let record = try Self.read(file)
                guard record.id == id else { throw NodeFailure(.system, "it is the record of \(record.id)") }
                records.append(record)
            } catch {
                remarks.append("\(file) cannot be read and was left as it is: \(error)")
            }
        }
        return (records, remarks)
    }

    /// Writes a record, making its directory if this is the first.
    ///
    /// What a container is and how it ended survives a power cut. Which run is under way does not have to: the power
    /// cut ends it.
    package func write(_ record: ContainerRecord) throws(SystemError) {
        let bytes = JSONWriter.bytes(record.json)
        let directory = self.directory(of: record.id)
        if Files.exists(directory) { return try write(bytes, of: record, in: directory) }
        let new = "\(path)/\(Self.beingMade)\(record.id)"
        try Files.makeDirectory(new, mode: 0o700)
        do {
            if record.isLogged { try Files.makeDirectory("\(new)/log", mode: 0o700) }
            try write(bytes, of: record, in: new)
            try Files.rename(new, to: directory)
            if record.mustSurvivePowerCut { try Files.synchronize(directory: path) }
        } catch {
            try? Files.removeTree(new)
            throw error
        }
    }

    private func write(_ bytes: [UInt8], of record: ContainerRecord, in directory: String) throws(SystemError) {
        if record.mustSurvivePowerCut {
            try Files.replace("\(directory)/\(Self.fileName)", with: bytes)
        } else {
            try Files.replaceInMemory("\(directory)/\(Self.fileName)", with: bytes)
        }
    }

    private static func read(_ file: String) throws -> ContainerRecord {
        try ContainerRecord(lenient: try JSONParser.parse(try Files.read(file, limit: recordBytesLimit)))
    }

    /// Removes a container with everything in its directory, and its room.
    package func remove(_ id: String, room: String? = nil) throws(SystemError) {
        let removed = "\(path)/\(Self.beingRemoved)\(id)"
        do { try Files.rename(directory(of: id), to: removed) } catch where error.code == .noEntry {
            // A container that was never written down has a room all the same, if it was started.
            return try removeRoom(room)
        }
        try removeContents(of: removed, room: room)
    }

    /// The room goes first: as long as the record is there, somebody knows of it.
    private func removeContents(of directory: String, room: String?) throws(SystemError) {
        try removeRoom(room)
        try Files.removeTree(directory)
    }

    private func removeRoom(_ room: String?) throws(SystemError) {
        guard let room, RoomName.generation(of: room) != nil else { return }
        do { try Files.removeTree("\(rooms)/\(room)") } catch where error.code == .noEntry {}
    }

    /// Removes the rooms that nobody has.
    ///
    /// - Parameters:
    ///   - owned: rooms of containers on record, and of what the keeper has.
    ///   - generation: of the keeper that runs, whose fresh rooms are its own.
    package func sweepRooms(owned: Set<String>, generation: UInt64) throws(SystemError) {
        for room in RoomName.unowned(try Files.list(rooms), owned: owned, generation: generation) {
            try removeRoom(room)
        }
    }

    package func directory(of id: String) -> String { "\(path)/\(id)" }

    package func logDirectory(of id: String) -> String { "\(path)/\(id)/log" }

    /// The pipe that is the standard input of a container which keeps it open; made if there is none.
    package func openInput(of id: String, _ flags: CInt) throws(SystemError) -> OwnedFD {
        let place = try Files.place(directory(of: id))
        do { try FileEntries.makePipe("stdin", at: place.raw) } catch where error.code == .exists {}
        return try Files.open("stdin", flags | O_NOFOLLOW, at: place.raw)
    }

    /// The log's directory, opened for the keeper; made if the container has had no log so far.
    package func openLog(of id: String) throws(SystemError) -> OwnedFD {
        let log = logDirectory(of: id)
        do { try Files.makeDirectory(log, mode: 0o700) } catch where error.code == .exists {}
        return try Files.place(log)
    }
}

extension ContainerRecord {
    fileprivate var mustSurvivePowerCut: Bool {
        guard !spec.removesOnExit else { return false }
        switch lifecycle.phase {
        case .created, .exited, .lost: return true
        // What a policy starts over and over is not worth a flush each time; its failures are those of `exited`.
        case .starting, .running, .paused, .stopping, .removing, .restarting: return false
        }
    }
}
