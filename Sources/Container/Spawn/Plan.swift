import Linux

/// The steps of a template's child, in the only order that works, and the slots that each start fills.
///
/// Pure: options in, steps out.
///
/// Invariants
/// 1. Only the mapped descriptors survive the exec. Every slot is first moved above the highest target, then
///    everything is marked close-on-exec, then each target is made from its slot: no order of targets can hit a
///    source that is still needed. (tests: `descriptors that swap numbers arrive swapped`, `nothing else is inherited`)
/// 2. What needs privileges comes before the user changes, what a change of user clears or what must happen as
///    that user comes after it. (test: `the plan's order keeps privileges until the user changes`)
/// 3. The signal mask is set last: until then every signal is blocked.
struct Plan {
    /// The highest number that a descriptor can have in a program: more would need a table of megabytes.
    static let highestTarget: CInt = 1023
    /// Processors that an affinity mask can name, as many as the kernel's largest configuration has.
    static let processorLimit = 8192

    private(set) var steps = StepProgram()
    let input: Slot
    let output: Slot
    let error: Slot
    /// The program's end of its terminal.
    let terminal: Slot?
    /// The file to execute, where it is one and not a path.
    let executable: Slot?

    init(_ options: Options, executable: CInt?, parent: Int32) {
        input = steps.slot()
        output = steps.slot()
        error = steps.slot()
        terminal = options.usesTerminal ? steps.slot() : nil
        if let executable { self.executable = steps.slot(executable) } else { self.executable = nil }
        placeDescriptors(options)
        placeInSession(options)
        constrain(options)
        if let user = options.user {
            steps.add(.groups(user.groups))
            steps.add(.gid(user.gid))
            steps.add(.uid(user.uid))
        }
        if let signal = options.deathSignal { steps.add(.deathSignal(signal, parent: parent)) }
        if options.noNewPrivileges { steps.add(.noNewPrivileges) }
        steps.add(.changeDirectory(nil))
        steps.add(.signalsToDefault(Signal.mask(options.defaultSignals + [Signal.pipe])))
        steps.add(.signalMask(Signal.mask(options.blockedSignals)))
        steps.add(.execute(self.executable))
    }

    private mutating func placeDescriptors(_ options: Options) {
        var targets: [(slot: Slot, number: CInt, meaning: String)] = [
            (input, 0, "standard input"), (output, 1, "standard output"), (error, 2, "standard error"),
        ]
        for (number, source) in options.descriptors.sorted(by: { $0.key < $1.key }) {
            targets.append((steps.slot(source.raw), number, "descriptor \(number)"))
        }
        let above = targets.map(\.number).max()! + 1
        steps.add(.unshareFiles(lowest: 0))
        for target in targets { steps.add(.moveUp(target.slot, lowest: above), as: "hand over \(target.meaning)") }
        for slot in [terminal, executable].compactMap({ $0 }) { steps.add(.moveUp(slot, lowest: above)) }
        steps.add(.closeFrom(0))
        for target in targets {
            steps.add(.duplicate(target.slot, to: target.number), as: "put \(target.meaning) in place")
        }
    }

    private mutating func placeInSession(_ options: Options) {
        if let terminal {
            steps.add(.setSession)
            steps.add(.controllingTerminal(terminal))
            return
        }
        switch options.group {
        case .inherited: break
        case .own: steps.add(.setProcessGroup(0))
        case .joining(let group): steps.add(.setProcessGroup(group))
        case .ownSession: steps.add(.setSession)
        }
    }

    private mutating func constrain(_ options: Options) {
        if let umask = options.umask { steps.add(.umask(umask)) }
        for limit in options.limits { steps.add(.limit(limit)) }
        if let nice = options.nice { steps.add(.priority(nice)) }
        if let scheduler = options.scheduler {
            steps.add(.scheduler(policy: scheduler.policy, priority: scheduler.realTimePriority ?? 0))
        }
        if let processors = options.processors { steps.add(.affinity(Self.mask(processors))) }
    }

    /// Bit n of the mask stands for processor n; a whole number of the kernel's words.
    private static func mask(_ processors: Set<Int>) -> [UInt8] {
        var mask = [UInt8](repeating: 0, count: (processors.max()! / 64 + 1) * 8)
        for processor in processors { mask[processor / 8] |= 1 << UInt8(processor % 8) }
        return mask
    }
}
