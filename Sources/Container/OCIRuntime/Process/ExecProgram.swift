import OCI
import Spawn

/// The program of a process that joins a container. Pure.
struct ExecProgram {
    private(set) var steps = StepProgram()
    let socket: Slot
    private(set) var joins: [Slot] = []
    private(set) var terminal: Slot?
    private(set) var root: Slot?
    /// A hook's standard input, and where it writes.
    private(set) var streams: (input: Slot, output: Slot)?

    init(
        _ process: ProcessSteps, joinCount: Int, hasUserNamespace: Bool, isRootChanged: Bool, isLabelled: Bool,
        affinity: [UInt8]?, personality: UInt32?, isHook: Bool
    ) {
        socket = steps.slot()
        joins = (0..<joinCount).map { _ in steps.slot() }
        if process.process.hasTerminal { terminal = steps.slot() }
        if isRootChanged { root = steps.slot() }
        if isHook { streams = (input: steps.slot(), output: steps.slot()) }
        let proc = isLabelled ? steps.slot() : nil
        if let affinity { steps.add(.affinity(affinity)) }
        for join in joins { steps.add(.write([UInt8(ascii: "0")], to: join, meaning: "itself into its cgroup")) }
        if hasUserNamespace {
            steps.add(.gid(0))
            steps.add(.uid(0))
        }
        steps.add(.setSession)
        if let personality { steps.add(.personality(personality)) }
        if let proc {
            let configuration = steps.slot()
            steps.add(.newFileSystem("proc", into: configuration))
            steps.add(.fileSystemMount(configuration, into: proc, attributes: 0))
        }
        steps.add(.unshareFiles(lowest: 3 + CInt(process.preserved)))
        if let streams {
            steps.add(.duplicate(streams.input, to: 0))
            steps.add(.duplicate(streams.output, to: 1))
            steps.add(.duplicate(streams.output, to: 2))
        }
        // The parent moves it where the kernel did not let it be born, before it can start others.
        steps.add(.park(socket, first: socket, count: 0), as: "wait for the cgroup")
        if let root { steps.add(.changeRoot(root)) }
        process.add(to: &steps, ProcessSteps.Slots(socket: socket, proc: proc, terminal: terminal))
        steps.add(.execute(nil))
    }
}
