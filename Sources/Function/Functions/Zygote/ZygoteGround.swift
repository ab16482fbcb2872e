internal import Engine
internal import Keeper
internal import Linux

/// What zygotes stand on: the sandboxes and logs of the node's instances.
struct ZygoteGround: Sendable {
    let sandboxes: FunctionSandboxes
    let logs: LogThread
    let note: @Sendable (String) -> Void

    init(_ launcher: SandboxLauncher) { self.init(launcher.sandboxes, launcher.logs, launcher.plans) }

    init(_ sandboxes: FunctionSandboxes, _ logs: LogThread, _ plans: FunctionPlans) {
        self.sandboxes = sandboxes
        self.logs = logs
        note = plans.ground.note
    }
}

/// A place: a sandbox beneath the zygote, in which a fork of it waits.
struct ZygotePlace: Sendable {
    /// Of its sandbox.
    let name: String
    var started: StartedSandbox?
    var namespace: SharedFD?
    /// The Runtime API's socket inside; an open descriptor until somebody takes it.
    var listener: CInt?
    /// To the fork, until its turn.
    var life: ZygoteSocket?
    /// The fork was told to begin.
    var isStarted = false
    /// How the program in it ended, as the zygote saw it.
    var status: ExitStatus?
    /// Told the end, once the place is an instance's.
    var ended: FunctionSandboxes.Ended?
}

/// One end of a pair of sockets for datagrams that carry descriptors.
final class ZygoteSocket: Sendable {
    private let socket: MessageSocket

    init(_ socket: consuming OwnedFD) throws(SystemError) {
        try Files.setNonBlocking(socket.raw)
        self.socket = MessageSocket(adopting: socket)
    }

    func send(_ bytes: [UInt8], _ descriptors: [CInt] = []) throws(SystemError) {
        try socket.send(bytes, descriptors: descriptors)
    }

    /// The next datagram; nil when the other end is gone.
    func receive() async throws(SystemError) -> [UInt8]? {
        while true {
            try await Readiness.shared.readable(socket.fd.raw)
            do throws(SystemError) { return try socket.receive()?.bytes } catch where error.code == .again {
                continue
            } catch where error.code == .connectionReset {
                return nil
            }
        }
    }

    /// What waits in it is answered by an end.
    func shutDown() { MessageSocket.end(socket.fd.raw) }
}
