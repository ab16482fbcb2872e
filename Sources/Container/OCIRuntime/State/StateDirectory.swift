import JSON
import Linux
import OCI

/// The directory of one container below `--root`: its record, a copy of its configuration, and the door on which it
/// waits for its start.
///
///     ROOT/ID/lock         held by who changes the container
///     ROOT/ID/config.json  the configuration as it was read
///     ROOT/ID/making       the bundle of a container that is being made; until its start can come, or its program
///     ROOT/ID/state.json   the record; missing until the container's process is there
///     ROOT/ID/exec.fifo    there until the start
///     ROOT/ID/report.fifo  on which a start learns of a failure
///     ROOT/ID/no-new-keyring  there for a container without a session keyring of its own (CallersKeyring.swift)
///     ROOT/ID/scope        which scope of systemd is the container's cgroup; only with --systemd-cgroup
///     ROOT/ID/notify       bound in the container: where its program says that it is ready; only with NOTIFY_SOCKET
///
/// Invariants
/// 1. The directory is made by one process: a second one with the same id is refused.
///    (test: `of two creates of one id one succeeds`)
/// 2. Whatever instant the runtime is killed at, `delete --force` finds what there is: the configuration is written
///    before the first cgroup is made, the record before the process can go on.
///    (test: `a create that is killed at any instant leaves nothing behind after delete --force`)
/// 3. From before the record is there until the root and the hooks are through, `making` is there: what asks for the
///    container meanwhile, also a hook, finds it in the making.
///    (test: `a container that is being made says so, and nobody gets into it`)
struct StateDirectory {
    let id: String
    let path: String
    /// The directory itself, O_PATH.
    let place: SharedFD

    static let config = "config.json"
    static let record = "state.json"
    static let startDoor = "exec.fifo"
    static let reportDoor = "report.fifo"
    private static let making = "making"
    private static let lock = "lock"
    private static let scope = "scope"
    private static let notify = "notify"

    /// Makes the directory of a new container.
    static func make(_ id: String, root: String) throws(RuntimeFailure) -> StateDirectory {
        let path = "\(root)/\(id)"
        do throws(SystemError) {
            do { try Files.makeDirectory(path, mode: 0o700) } catch  where error.code == .noEntry {
                try Files.makeDirectories(root, mode: 0o711)
                try Files.makeDirectory(path, mode: 0o700)
            }
        } catch {
            throw error.code == .exists
                ? RuntimeFailure("container with given ID already exists") : RuntimeFailure(error)
        }
        return try StateDirectory(id, root: root)
    }

    /// Opens that of a container that should be there.
    init(_ id: String, root: String) throws(RuntimeFailure) {
        self.id = id
        path = "\(root)/\(id)"
        do { place = SharedFD(try Files.place(path)) } catch {
            throw error.code == .noEntry ? RuntimeFailure("container does not exist") : RuntimeFailure(error)
        }
    }

    /// The ids below a root, in order.
    static func ids(root: String) throws(RuntimeFailure) -> [String] {
        do { return try Files.subdirectories(root).sorted() } catch {
            if error.code == .noEntry { return [] }
            throw RuntimeFailure(error)
        }
    }

    /// Takes the lock, waiting for who holds it.
    func takeLock() throws(RuntimeFailure) -> FileLock {
        while true {
            if let lock = try attempt("", { () throws(SystemError) in try FileLock("\(path)/\(Self.lock)") }) {
                return lock
            }
            Clock.pauseBlocking(milliseconds: 2)
        }
    }

    // The making.

    /// From now on the container is being made.
    func beginMaking(of bundle: String) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in
            try Files.replaceInMemory("\(path)/\(Self.making)", with: Array(bundle.utf8))
        }
    }

    /// From now on it is what its process says.
    func endMaking() throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in try FileEntries.remove(Self.making, at: place.raw) }
    }

    /// The bundle of which the container is being made; nil when it has been. One whose runtime was killed meanwhile
    /// stays in the making.
    var bundleInMaking: String? {
        (try? Files.read(Self.making, at: place.raw, limit: RuntimeLimits.pathBytes)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The name of who made it, or his number as runc shows it where he has none.
    func owner(among users: [Users.User]) -> String? {
        guard let owner = (try? Files.status(of: place.raw, name: path))?.owner else { return nil }
        return users.first(where: { $0.uid == owner })?.name ?? "#\(owner)"
    }

    // The configuration.

    func write(config bytes: [UInt8]) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in try Files.replaceInMemory("\(path)/\(Self.config)", with: bytes) }
    }

    /// The configuration as it was when the container was made.
    func spec() throws(RuntimeFailure) -> RuntimeSpec {
        let bytes = try attempt { () throws(SystemError) in
            try Files.read(Self.config, at: place.raw, limit: RuntimeLimits.documentBytes)
        }
        do { return try RuntimeSpec(bytes) } catch { throw RuntimeFailure("\(error)") }
    }

    // The record.

    func write(_ record: ContainerRecord) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in try Files.replaceInMemory("\(path)/\(Self.record)", with: record.bytes)
        }
    }

    /// The record; nil until the container's process is there.
    func record() throws(RuntimeFailure) -> ContainerRecord? {
        do { return try ContainerRecord(try Files.read(Self.record, at: place.raw, limit: 1 << 20)) } catch let error
            as SystemError
        {
            if error.code == .noEntry { return nil }
            throw RuntimeFailure(error)
        } catch let error as RuntimeFailure {
            throw error
        } catch { preconditionFailure("\(error)") }
    }

    // What stands beside them.

    func write(_ scope: ContainerScope) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in
            try Files.replaceInMemory("\(path)/\(Self.scope)", with: Array(scope.text.utf8))
        }
    }

    /// The scope of systemd; nil where the cgroup is ours.
    func scope() -> ContainerScope? {
        (try? Files.read(Self.scope, at: place.raw, limit: 4096)).flatMap {
            ContainerScope(text: String(decoding: $0, as: UTF8.self))
        }
    }

    /// The directory for the socket on which the program says that it is ready, made when it is asked for.
    func notifyDirectory() throws(RuntimeFailure) -> String {
        try attempt { () throws(SystemError) in
            do throws(SystemError) { try Files.makeDirectory(Self.notify, at: place.raw) } catch
                where error.code == .exists
            {}
            return "\(path)/\(Self.notify)"
        }
    }

    // The doors.

    /// Makes the doors on which a created container waits, and opens them for it. They are found once `openForStart` has
    /// been called.
    func makeDoors() throws(RuntimeFailure) -> (start: SharedFD, report: SharedFD) {
        try attempt { () throws(SystemError) in
            let hidden = Self.startDoor + ".new"
            try FileEntries.makePipe(hidden, at: place.raw)
            try FileEntries.makePipe(Self.reportDoor, at: place.raw)
            // For reading and writing, so that opening does not wait for the other side, fifo(7).
            return (
                SharedFD(try Files.open(hidden, Self.readWrite, at: place.raw)),
                SharedFD(try Files.open(Self.reportDoor, Self.readWrite, at: place.raw))
            )
        }
    }

    /// From now on the container counts as created.
    func openForStart() throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in
            try Files.rename(Self.startDoor + ".new", to: Self.startDoor, at: place.raw)
        }
    }

    /// Whether the container waits for its start: it has the door open. That the door is there is not enough, since a
    /// start that was killed has not taken it away. (test: `a start that is killed leaves a container that ...`)
    var awaitsStart: Bool {
        // Without a reader this fails, fifo(7).
        (try? Files.open(Self.startDoor, Self.writeOnly | Self.nonBlocking, at: place.raw)) != nil
    }

    /// Removes everything.
    func remove() throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in try Files.removeTree(path) }
    }

    private static let writeOnly: CInt = 1
    private static let readWrite: CInt = 2
    private static let nonBlocking: CInt = 0o4000
}
