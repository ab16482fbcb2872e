import CSpawn
package import Linux

/// A child that has done everything but what differs per call, and waits for its call on a socket.
///
/// Invariants
/// 1. While the child has not parked it shares our descriptor table, so everything in its slots stays open here.
///    (test: `descriptors of a preparing child stay open until it parks`)
/// 2. It leaves by itself when this side of the socket is closed: a parent that dies leaves no waiting child.
///    (test: `a parked child leaves when its parent lets go`)
/// 3. The launch memory outlives the child's use of it: letting go of this value ends a child that has not exec'ed,
///    and waits until it has left our memory. (test: `letting go of a child that is still preparing ends it`)
package struct ParkedLaunch: ~Copyable {
    /// How long a child that is told to leave gets for the step that it is in, nanoseconds. Steps take microseconds
    /// unless a file system hangs; then its memory is never freed, rather than freed under it.
    private static let leaveNanoseconds: Int64 = 1_000_000_000

    private final class Memory {
        var launch: LaunchMemory
        init(_ launch: consuming LaunchMemory) { self.launch = launch }
    }

    private let memory: Memory
    private var launched: Launched
    private let ours: MessageSocket
    private var theirs: OwnedFD?
    /// What the child's slots hold, open here until the child has a table of its own.
    private var held: [SharedFD]

    /// The pid as this process sees it.
    package var pid: Int32 { launched.pid }

    /// Readable once the child has parked; hung up when it has exec'ed or ended.
    package var socket: CInt { ours.fd.raw }

    /// Starts a child that runs into the `.park` step on the socket in `slot`.
    ///
    /// - Parameters:
    ///   - filled: descriptors for other slots; held until `confirmParked`.
    ///   - cgroup: a v2 cgroup's directory in which the child is born.
    ///   - isNested: whether its pid namespace is made inside that of this thread's children, which is another's.
    package init(
        _ program: CompiledProgram, parkingAt slot: Slot, filled: [(slot: Slot, descriptor: SharedFD)] = [],
        cgroup: SharedFD? = nil, isNested: Bool = false
    ) throws(SpawnError) {
        var pair = try spawning { () throws(SystemError) in try MessageSocket.pair() }
        let flags = CloneFlags.sharedMemory | CloneFlags.sharedFiles | CloneFlags.clearSignalHandlers
        let call = ProgramCall(path: "", arguments: [], environment: [])
        let memory = LaunchMemory(program, call: call, flags: flags, cgroup: cgroup?.raw ?? -1, isNested: isNested)
        let theirs = pair.takeSecond()
        memory.fill(slot, with: theirs.raw)
        for (slot, descriptor) in filled { memory.fill(slot, with: descriptor.raw) }
        let pid = withExtendedLifetime((filled, cgroup)) { cspawn_start(memory.launch) }
        guard pid >= 0 else { throw CompiledProgram.cloneError(pid) }
        let pidfd = memory.launch.pointee.pidfd
        // Whoever made a nested child knows it by another number than we do.
        launched = Launched(pid: isNested ? ProcessFD.pid(of: pidfd) : Int32(pid), pidfd: pidfd)
        ours = MessageSocket(adopting: pair.takeFirst())
        self.memory = Memory(memory)
        self.theirs = consume theirs
        held = filled.map(\.descriptor)
    }

    /// Lets a child in `.awaitGo` go on: its identity maps are written.
    package borrowing func identityMapped() { cspawn_release(memory.launch.launch, CSPAWN_GO.rawValue) }

    /// Reads the child's word that it has parked, and waits for it as long as this value still holds the pidfd.
    ///
    /// Who has taken the pidfd calls this when the socket or the pidfd has become readable, and not before: it closes
    /// our copy of the child's end of the socket, which until then is the child's, too.
    /// - Throws: the child's failure when it ended before.
    package mutating func confirmParked() throws(SpawnError) {
        try launched.waitUntilReadable(or: ours.fd.raw)
        theirs = nil
        held = []
        var byte: [UInt8] = [0]
        var none: [SharedFD] = []
        let count: Int
        do { count = try ours.receive(into: &byte, descriptors: &none) } catch { throw SpawnError(error) }
        if count == 0 { throw failure() ?? SpawnError(step: "prepare a sandbox", code: .canceled) }
    }

    /// Gives the child its call. It goes on by itself; the socket hangs up when it has exec'ed or failed.
    ///
    /// - Parameter descriptors: as many as the `.park` step says, in the order of its slots.
    package mutating func release(_ call: ProgramCall, descriptors: [CInt]) throws(SpawnError) {
        memory.launch.replaceCall(call)
        do { try ours.send([1], descriptors: descriptors) } catch {
            throw failure() ?? SpawnError(error)
        }
    }

    /// Whether the child has taken its call: one that ended without was killed while it waited, and no program ran.
    package borrowing func hasTakenCall() -> Bool { memory.launch.launch.pointee.phase == CSPAWN_CALLED.rawValue }

    /// Ends a child that is not wanted any more and reaps it: only then may its memory go.
    package mutating func abandon() {
        let process = ProcessFD(adopting: launched.takePidfd())
        try? process.signal(Signal.kill)
        _ = try? process.reapBlocking()
    }

    /// What the child reported once the socket has hung up; nil: the program is running.
    package borrowing func failure() -> SpawnError? { memory.launch.failure() }

    /// The child by descriptor; taking it twice is a programmer error.
    package mutating func takePidfd() -> OwnedFD { launched.takePidfd() }

    deinit {
        let launch = memory.launch.launch
        cspawn_release(launch, CSPAWN_LEAVE.rawValue)
        MessageSocket.end(ours.fd.raw)
        if cspawn_await(launch, Self.leaveNanoseconds) != 0 { _ = Unmanaged.passRetained(memory) }
    }
}
