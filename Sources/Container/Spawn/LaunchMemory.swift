import CSpawn
import Linux

/// What differs from call to call of one program.
package struct ProgramCall: Hashable, Sendable {
    /// The file to execute, as the child sees it.
    package var path: String
    /// argv, from argv[0].
    package var arguments: StringBlock
    package var environment: StringBlock
    /// Where to start; nil: where the step program says, or the parent's.
    package var directory: String?
    /// The name to give the host, for programs with a UTS namespace of their own; nil: as the step program says.
    package var hostname: String?

    package init(
        path: String, arguments: StringBlock, environment: StringBlock, directory: String? = nil, hostname: String? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.hostname = hostname
    }
}

/// The memory of one start, which parent and child share until the exec: launch record, slots, argument
/// and environment vectors, and the child's stack. Nothing here may move or be freed before the child is through.
struct LaunchMemory: ~Copyable {
    let launch: UnsafeMutablePointer<cspawn_launch>
    private let program: CompiledProgram
    private let fds: UnsafeMutablePointer<CInt>
    private let stack: ChildStack
    private var call: CallMemory

    init(_ program: CompiledProgram, call: ProgramCall, flags: UInt64, cgroup: CInt, isNested: Bool = false) {
        self.program = program
        let slots = program.source.slots
        fds = .allocate(capacity: max(slots.count, 1))
        fds.initialize(from: slots, count: slots.count)
        stack = ChildStack.take()
        self.call = CallMemory(call)
        launch = .allocate(capacity: 1)
        launch.initialize(
            to: cspawn_launch(
                steps: UnsafePointer(program.records), arena: UnsafePointer(program.arena), fds: fds, path: nil,
                arguments: nil, environment: nil, directory: nil, hostname: nil, clone_flags: flags | program.source.cloneFlags,
                cgroup: Int64(cgroup), stack: stack.base, stack_size: UInt64(ChildStack.usableBytes),
                step_count: UInt32(program.source.steps.count), slot_count: UInt32(slots.count), pidfd: -1, phase: 0,
                child_tid: 0, report_step: -1, report_errno: 0, nested: isNested ? 1 : 0, entry_count: 0, entries: nil, refused_entry: -1))
        self.call.describe(to: launch)
    }

    /// Gives a waiting child the particulars of its call.
    mutating func replaceCall(_ new: ProgramCall) {
        call = CallMemory(new)
        call.describe(to: launch)
    }

    func fill(_ slot: Slot, with fd: CInt) { fds[slot.index] = fd }

    /// The failure that the child reported, as a sentence; nil while there is none.
    func failure() -> SpawnError? {
        let index = Int(launch.pointee.report_step)
        guard index >= 0 else { return nil }
        let code = Errno(launch.pointee.report_errno)
        if program.source.steps[index].concernsProgram { return .execute(call.path, code: code) }
        let step = program.source.steps[index]
        if step == .changeDirectory(nil) || step == .changeDirectoryInside(nil) {
            return SpawnError(
                step: "change directory to \(call.directory ?? "")", code: code, advice: step.advice(on: code))
        }
        return SpawnError(step: program.sentence(ofStep: index), code: code, advice: step.advice(on: code))
    }

    /// What a slot holds: for those that the child fills before it has a descriptor table of its own.
    func descriptor(in slot: Slot) -> CInt { fds[slot.index] }

    deinit {
        ChildStack.giveBack(stack)
        launch.deallocate()
        fds.deallocate()
    }
}

/// The texts of one call in the form execve(2) wants them.
private struct CallMemory: ~Copyable {
    let path: String
    let directory: String?
    private let texts: UnsafeMutablePointer<UInt8>
    private let vectors: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let environmentAt: Int
    private let directoryAt: Int?
    private let hostnameAt: Int?

    init(_ call: ProgramCall) {
        path = call.path
        directory = call.directory
        var bytes: [UInt8] = call.arguments.bytes
        let environmentStart = bytes.count
        bytes += call.environment.bytes
        let pathStart = bytes.count
        bytes += Array(call.path.utf8) + [0]
        directoryAt = call.directory == nil ? nil : bytes.count
        if let directory = call.directory { bytes += Array(directory.utf8) + [0] }
        hostnameAt = call.hostname == nil ? nil : bytes.count
        if let hostname = call.hostname { bytes += Array(hostname.utf8) + [0] }
        texts = .allocate(capacity: bytes.count)
        texts.initialize(from: bytes, count: bytes.count)

        let counts = (call.arguments.count, call.environment.count)
        environmentAt = counts.0 + 1
        vectors = .allocate(capacity: counts.0 + counts.1 + 3)
        var filled = 0
        func fill(_ range: Range<Int>) {
            var start = range.lowerBound
            for index in range where bytes[index] == 0 {
                vectors[filled] = UnsafeMutableRawPointer(texts + start).assumingMemoryBound(to: CChar.self)
                filled += 1
                start = index + 1
            }
            vectors[filled] = nil
            filled += 1
        }
        fill(0..<environmentStart)
        fill(environmentStart..<pathStart)
        vectors[filled] = UnsafeMutableRawPointer(texts + pathStart).assumingMemoryBound(to: CChar.self)
    }

    func describe(to launch: UnsafeMutablePointer<cspawn_launch>) {
        launch.pointee.arguments = UnsafePointer(vectors)
        launch.pointee.environment = UnsafePointer(vectors + environmentAt)
        var end = environmentAt
        while vectors[end] != nil { end += 1 }
        launch.pointee.path = UnsafePointer(vectors[end + 1])
        launch.pointee.directory = directoryAt.map { text(at: $0) }
        launch.pointee.hostname = hostnameAt.map { text(at: $0) }
    }

    private func text(at index: Int) -> UnsafePointer<CChar> {
        UnsafePointer(UnsafeMutableRawPointer(texts + index).assumingMemoryBound(to: CChar.self))
    }

    deinit {
        texts.deallocate()
        vectors.deallocate()
    }
}

extension Step {
    /// Whether its failure is that of the program itself.
    fileprivate var concernsProgram: Bool {
        switch self {
        case .execute, .checkProgram: true
        default: false
        }
    }
}
