import CSpawn
package import Linux

/// A child that its parent steers through several stops on the way to its program: at each the child waits in a
/// `.park` step, and the parent does what needs to be done from outside.
///
/// Before its `.unshareFiles` step the child opens into a table that is ours, too: what it fills slots with then,
/// `takeDescriptor` hands out.
/// Invariants
/// 1. The child leaves by itself when this process is gone, as long as it has not passed its last stop.
///    (test: `a create that is killed at any instant leaves nothing behind after delete --force` in OCIRuntimeTests)
/// 2. What it reports names the step. (test: `a steered child's failure names the step`)
/// 3. Its memory is ours until the exec: nothing of it is freed before, so values of this class are for processes
///    that make few children and end.
package final class SteeredLaunch {
    fileprivate var memory: LaunchMemory
    private let program: CompiledProgram
    private let ours: MessageSocket
    private var theirs: OwnedFD?
    /// What the child's slots hold, open here until it has a table of its own.
    private var held: [SharedFD]
    private let entries: UnsafeMutablePointer<cspawn_entry>

    /// The pid as this process sees it.
    package let pid: Int32
    /// The child by descriptor.
    package let pidfd: SharedFD

    /// Namespaces to be joined by a process in between, before the child is made.
    package struct Entry: Sendable {
        /// A namespace's descriptor, or a pidfd.
        package var descriptor: CInt
        package var kinds: Namespaces
        /// For the error: "the network namespace at /run/netns/x".
        package var name: String

        package init(_ descriptor: CInt, _ kinds: Namespaces, name: String) {
            self.descriptor = descriptor
            self.kinds = kinds
            self.name = name
        }
    }

    /// Starts the child.
    ///
    /// - Parameters:
    ///   - socket: the slot that gets the child's end of the socket.
    ///   - filled: descriptors for other slots; held until the child has a table of its own.
    ///   - cgroup: a v2 cgroup's directory in which it is born, or -1.
    ///   - entries: what it is born into beside the namespaces of its own.
    package init(
        _ source: StepProgram, call: ProgramCall, parkingAt socket: Slot,
        filled: [(slot: Slot, descriptor: SharedFD)] = [],
        cgroup: CInt = -1, entering entered: [Entry] = []
    ) throws(SpawnError) {
        var pair = try spawning { () throws(SystemError) in try MessageSocket.pair() }
        let theirs = pair.takeSecond()
        program = CompiledProgram(source)
        let flags = CloneFlags.sharedMemory | CloneFlags.sharedFiles | CloneFlags.clearSignalHandlers
        memory = LaunchMemory(program, call: call, flags: flags, cgroup: cgroup, isNested: !entered.isEmpty)
        memory.fill(socket, with: theirs.raw)
        for (slot, descriptor) in filled { memory.fill(slot, with: descriptor.raw) }
        held = filled.map(\.descriptor)
        entries = .allocate(capacity: max(entered.count, 1))
        for (index, entry) in entered.enumerated() {
            (entries + index).initialize(
                to: cspawn_entry(fd: entry.descriptor, flags: Int32(truncatingIfNeeded: entry.kinds.rawValue)))
        }
        memory.launch.pointee.entry_count = UInt32(entered.count)
        memory.launch.pointee.entries = UnsafePointer(entries)
        let pid = cspawn_start(memory.launch)
        let refused = Int(memory.launch.pointee.refused_entry)
        if pid < 0, entered.indices.contains(refused) {
            throw SpawnError(step: "join \(entered[refused].name)", code: Errno(CInt(-pid)))
        }
        guard pid >= 0 else { throw CompiledProgram.cloneError(pid) }
        self.pid = Int32(pid)
        pidfd = SharedFD(OwnedFD(adopting: memory.launch.pointee.pidfd))
        ours = MessageSocket(adopting: pair.takeFirst())
        self.theirs = consume theirs
        // The child uses the memory until its exec, which may come long after we are through with it.
        _ = Unmanaged.passRetained(self)
    }

    /// Lets a child in `.awaitGo` go on.
    package func letGo() { cspawn_release(memory.launch, CSPAWN_GO.rawValue) }

    /// Gives a child in `.awaitGo` what it finds in a slot then; held until the child has a table of its own.
    package func fill(_ slot: Slot, with descriptor: SharedFD) {
        memory.fill(slot, with: descriptor.raw)
        held.append(descriptor)
    }

    /// A descriptor that the child has opened before it had a table of its own; taken once.
    package func takeDescriptor(in slot: Slot) -> OwnedFD { OwnedFD(adopting: memory.descriptor(in: slot)) }

    /// Waits for the child's next word: that it stands at a stop, or tells something.
    ///
    /// - Returns: what it sends along.
    /// - Throws: its failure when it has ended.
    package func awaitWord() throws(SpawnError) -> [SharedFD] {
        // Until the child has a table of its own, our copy of its end keeps the socket from ending with it.
        if theirs != nil {
            try spawning { () throws(SystemError) in try Files.waitUntilReadable(pidfd.raw, or: ours.fd.raw) }
            theirs = nil
            held = []
        }
        var byte: [UInt8] = [0]
        var sent: [SharedFD] = []
        let count: Int
        do { count = try ours.receive(into: &byte, descriptors: &sent) } catch { throw failure() ?? SpawnError(error) }
        if count == 0 { throw failure() ?? Self.ended }
        return sent
    }

    /// Sends the child on from its stop, with as many descriptors as the stop says.
    package func goOn(with descriptors: [CInt] = []) throws(SpawnError) {
        do { try ours.send([1], descriptors: descriptors) } catch { throw failure() ?? SpawnError(error) }
    }

    /// Waits until the program has been exec'ed.
    ///
    /// - Throws: the child's failure when it has ended instead.
    package func awaitProgram() throws(SpawnError) {
        theirs = nil
        var byte: [UInt8] = [0]
        var none: [SharedFD] = []
        do {
            while try ours.receive(into: &byte, descriptors: &none) > 0 {}
        } catch { throw failure() ?? SpawnError(error) }
        held = []
        if let failure = failure() { throw failure }
    }

    /// Ends the child and reaps it.
    package func abandon() {
        try? ProcessFD.signal(Signal.kill, to: pidfd.raw)
        _ = try? ExitRecord.reap(pidfd: pidfd.raw, block: true)
    }

    /// What the child has reported.
    package func failure() -> SpawnError? { memory.failure() }

    private static let ended = SpawnError(
        step: "prepare the program", code: .canceled, advice: "The process was killed.")
}

extension SteeredLaunch {
    /// Names the program to execute, which has been looked for since the child was born. Only while it stands at a stop.
    package func replace(_ call: ProgramCall) { memory.replaceCall(call) }
}
