package import Linux
import Sandbox
import Spawn

/// The keeper: parent of everything that runs, DESIGN section 4.
///
/// Invariants
/// 1. A program that runs is known by name, and its end is kept until a node has acknowledged it.
///    (test: `a node that comes back finds what runs and what has ended`)
/// 2. A request that fails leaves no process, cgroup, mount or descriptor behind.
///    (test: `a start that fails leaves nothing behind`)
/// 3. The keeper's end is the end of everything in it: programs die with it (their death signal), children that wait
///    leave when its sockets close. What it leaves in cgroups the next one removes.
///    (test: `a killed keeper takes its programs along and the next one cleans up`)
/// 4. No request makes the thread wait for somebody else, but for defining a template, which builds mounts.
package final class Keeper {
    package struct Settings: Sendable {
        /// Names the parent cgroup; different for each keeper on a machine.
        package var cgroupParent: String
        package var build: String
        /// Whether the keeper ends, and everything in it, when its last connection closes: for a single `run`.
        package var endsWithLastConnection: Bool

        package init(cgroupParent: String, build: String, endsWithLastConnection: Bool = false) {
            self.cgroupParent = cgroupParent
            self.build = build
            self.endsWithLastConnection = endsWithLastConnection
        }
    }

    let settings: Settings
    let loop: EventLoop
    let hierarchy: CgroupHierarchy?
    let identity: KeeperIdentity
    private var listener: SharedFD?
    private var listenerWatch: EventLoop.Watch?
    private var connections: [UInt64: NodeConnection] = [:]
    private var nextConnection: UInt64 = 1
    private var signals: SharedFD?

    var templates: [UInt32: TemplateEntry] = [:]
    var templateNumbers: [SandboxPlan: UInt32] = [:]
    var nextTemplate: UInt32 = 1
    var programs: [String: Supervised] = [:]
    /// Names of starts that are not answered yet.
    var startingNames: Set<String> = []
    /// Every child on its way, by pid.
    var children: [Int32: Child] = [:]
    var nextCgroup = 1
    var nextRoom = 1
    /// Paths of rooms that somebody writes to.
    var roomsInUse: Set<String> = []
    var starts = 0
    var refillScheduled = false
    /// Cgroups that could not be removed yet because the kernel was not through with their processes.
    var lingering: [Cgroup] = []
    let janitor: Janitor
    /// Network namespaces of ended sandboxes, as good as new.
    var idleNetworks: [SharedFD] = []
    /// The keeper's own namespaces, to come back to after a look into another.
    var ownPidNamespace: SharedFD?
    var ownNetworkNamespace: SharedFD?
    var lastCapability = Capabilities.lastKnown

    /// - Throws: `SystemError` where the machine lacks something that nothing works without.
    package init(_ settings: Settings) throws(SystemError) {
        self.settings = settings
        loop = try EventLoop()
        janitor = try Janitor()
        hierarchy = try? CgroupHierarchy.open(parent: settings.cgroupParent)
        _ = try? hierarchy?.removeLeftovers()
        identity = KeeperIdentity(
            pid: OwnProcess.pid, generation: UInt64(Clock.now().nanoseconds), build: settings.build)
        ownPidNamespace = SharedFD(try Files.open("/proc/self/ns/pid", 0))
        ownNetworkNamespace = SharedFD(try Files.open("/proc/self/ns/net", 0))
        lastCapability = try Capabilities.lastOfKernel()
        try watchSignals()
    }

    /// Accepts nodes at a listening socket.
    package func serve(_ socket: consuming OwnedFD) throws(SystemError) {
        let listener = SharedFD(try socket.duplicate(lowest: LongLived.lowestDescriptor))
        self.listener = listener
        listenerWatch = try loop.add(listener.raw, .readable) { [unowned self] _ in accept(from: listener) }
    }

    /// Takes over one connection that is there already.
    package func adopt(connection socket: consuming OwnedFD) throws(SystemError) {
        let id = nextConnection
        nextConnection += 1
        connections[id] = try NodeConnection(
            id: id, adopting: socket, loop: loop,
            onRequest: { [unowned self] connection, message in take(message, from: connection) },
            onClose: { [unowned self] connection in closed(connection) })
    }

    /// Works until it is told to end; then nothing of it is left.
    package func run() throws(SystemError) {
        try loop.run()
        endEverything()
    }

    // Connections.

    private func accept(from listener: SharedFD) {
        while let socket = try? MessageSocket.accept(from: listener.raw) {
            // Only our own user and root may speak to the keeper; the socket's mode says the same.
            guard let peer = try? MessageSocket.peer(of: socket.raw), peer.uid == 0 || peer.uid == OwnProcess.effectiveUser
            else { continue }
            try? adopt(connection: socket)
        }
    }

    private func closed(_ connection: NodeConnection) {
        // After the event at hand, since the connection itself is still on the stack.
        loop.afterThis { [self] in
            connections[connection.id] = nil
            if settings.endsWithLastConnection, connections.isEmpty { loop.stop() }
        }
    }

    /// Answers a request; the connection may be gone by now.
    func answer(_ connection: UInt64, _ number: UInt64, _ reply: KeeperReply, descriptors: [SharedFD] = []) {
        connections[connection]?.send(reply, number: number, descriptors: descriptors)
    }

    /// Tells every node that has said hello.
    func announce(_ event: KeeperReply) {
        for connection in connections.values where connection.isGreeted { connection.send(event, number: 0) }
    }

    // Requests.

    private func take(_ message: MessageSocket.Message, from connection: NodeConnection) {
        let request: KeeperRequest
        let number: UInt64
        do {
            (request, number) = try KeeperRequest.decode(message.bytes)
        } catch {
            connection.send(.failed(KeeperFailure(.protocolError, "\(error)")), number: 0)
            return connection.close()
        }
        do {
            try perform(request, Caller(connection: connection.id, number: number, descriptors: message.descriptors))
        } catch {
            connection.send(.failed(error), number: number)
        }
        if case .hello = request { greet(connection) }
    }

    /// Who asked, with what came along.
    struct Caller {
        var connection: UInt64
        var number: UInt64
        var descriptors: [SharedFD]
    }

    private func perform(_ request: KeeperRequest, _ caller: Caller) throws(KeeperFailure) {
        switch request {
        case .hello: answer(caller, .hello(identity))
        case .define(let plan): answer(caller, .template(try define(plan)))
        case .drop(let template):
            try drop(template)
            answer(caller, .done)
        case .prepare(let template, let count):
            try prepare(template, count: Int(count))
            answer(caller, .done)
        case .start(let start): try self.start(start, caller)
        case .execute(let execution): try execute(execution, caller)
        case .signal(let sandbox, let signal, let wholeTree):
            try self.signal(sandbox, signal, wholeTree: wholeTree)
            answer(caller, .done)
        case .freeze(let sandbox):
            try setFrozen(true, sandbox)
            answer(caller, .done)
        case .thaw(let sandbox):
            try setFrozen(false, sandbox)
            answer(caller, .done)
        case .resize(let sandbox, let size):
            try resize(sandbox, size)
            answer(caller, .done)
        case .usage(let sandbox): answer(caller, .usage(try usage(of: sandbox)))
        case .limit(let sandbox, let limits):
            try limit(sandbox, to: limits)
            answer(caller, .done)
        case .list: answer(caller, .list(programs.values.map(\.report)))
        case .acknowledge(let sandbox):
            try acknowledge(sandbox)
            answer(caller, .done)
        case .attach(let sandbox): answer(caller, .done, try attach(to: sandbox))
        case .status: answer(caller, .status(status()))
        case .shutdown(let killing):
            try shutDown(killing: killing)
            answer(caller, .done)
        }
    }

    private func answer(_ caller: Caller, _ reply: KeeperReply, _ descriptors: [SharedFD] = []) {
        answer(caller.connection, caller.number, reply, descriptors: descriptors)
    }

    /// From now on the node hears of every end, beginning with those that nobody has acknowledged.
    private func greet(_ connection: NodeConnection) {
        connection.isGreeted = true
        for program in programs.values {
            if let end = program.end { connection.send(.ended(sandbox: program.name, end), number: 0) }
        }
    }

    private func status() -> KeeperStatus {
        KeeperStatus(
            running: programs.values.reduce(0) { $0 + ($1.end == nil ? 1 : 0) },
            prepared: templates.values.reduce(0) { $0 + $1.parked.count }, templates: templates.count, starts: starts,
            residentBytes: CurrentProcess.residentBytes(), openDescriptors: (try? Files.list("/proc/self/fd").count) ?? 0)
    }

    // The end.

    private func shutDown(killing: Bool) throws(KeeperFailure) {
        let running = programs.values.filter { $0.end == nil }.count
        guard killing || running == 0 else {
            throw KeeperFailure(.conflict, "end the keeper: \(running) programs run. Stop them first, or ask to kill them.")
        }
        loop.afterThis { [loop] in loop.stop() }
    }

    private func watchSignals() throws(SystemError) {
        // SIGTERM and SIGINT end the keeper in order; SIGPIPE is an error of a write and nothing more.
        let mask = Signal.mask([Signal.terminate, Signal.interrupt, Signal.hangUp])
        let signals = SharedFD(try CurrentProcess.takeSignals(mask))
        self.signals = signals
        _ = try loop.add(signals.raw, .readable) { [loop] _ in loop.stop() }
    }

    /// Ends every child and program, reaps them and removes their cgroups.
    private func endEverything() {
        for entry in templates.values { entry.target = 0 }
        for child in children.values { try? ProcessFD.signal(Signal.kill, to: child.pidfd.raw) }
        for program in programs.values where program.end == nil { kill(program) }
        while let record = try? ExitRecord.reapAny() {
            if let child = children[record.pid] {
                if let cgroup = child.cgroup { lingering.append(cgroup.cgroup) }
                giveUp(&child.room)
            }
        }
        for program in programs.values {
            // The last words of what ran are in the pipes: they belong into the log.
            program.streams?.drain {}
            if let cgroup = program.cgroup { lingering.append(cgroup) }
        }
        for cgroup in lingering { try? hierarchy?.remove(cgroup) }
        _ = try? hierarchy?.removeLeftovers()
        try? hierarchy?.close()
        listener = nil
    }
}
