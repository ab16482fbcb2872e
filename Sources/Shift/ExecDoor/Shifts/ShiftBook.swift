package import Linux
package import Metering
internal import Spawn
internal import Synchronization

/// All shifts of a node, in memory: answers the door at once and takes in how calls ended.
///
/// Invariants (tests in ShiftBookTests)
/// 1. A decision waits for nothing but a lock that is held for microseconds. (`a decision is made while the database waits`)
/// 2. Every call that ended is counted once and goes to the ledger. (`every call is counted and recorded once`)
/// 3. A shift whose target could not be made sends nothing anywhere. (`without its target a shift runs the original`)
package final class ShiftBook: CallDecider, Sendable {
    /// Comparisons that may wait: each holds what was captured.
    static let comparisonLimit = 32

    /// A shift and what is needed to run it.
    package struct Entry: Sendable {
        package var state: ShiftState
        package var seed: UInt64
        package var mounted: MountedProgram?
        package var target: (any CallTarget)?
        /// Runs the original a second time.
        package var control: (any CallTarget)?
        package var comparison: CallComparison
        package var isDirty = false
        /// Calls that run against the original itself, by their arrival.
        var controls: Set<CallKey> = []

        package init(state: ShiftState, seed: UInt64) {
            self.state = state
            self.seed = seed
            comparison = CallComparison(state.spec.allowed)
        }
    }

    struct CallKey: Hashable, Sendable {
        var pid: Int32
        var arrivedNanoseconds: Int

        init(_ head: CallHead) {
            pid = head.pid
            arrivedNanoseconds = head.arrivedNanoseconds
        }
    }

    private struct Shelf {
        var entries: [String: Entry] = [:]
        var comparing = 0
        var uncompared = 0
    }

    private let shelf = Mutex(Shelf())
    private let ledger: any CallLedger
    private let now: @Sendable () -> Timestamp
    /// Performs what a shift's state has asked for.
    private let perform: @Sendable (_ id: String, _ actions: [ShiftAction]) -> Void

    package init(
        ledger: any CallLedger, now: @escaping @Sendable () -> Timestamp = { Clock.now() },
        perform: @escaping @Sendable (_ id: String, _ actions: [ShiftAction]) -> Void
    ) {
        self.ledger = ledger
        self.now = now
        self.perform = perform
    }

    // MARK: The door

    package func decide(_ head: CallHead) -> CallDecision? {
        shelf.withLock { shelf in
            guard var entry = shelf.entries.removeValue(forKey: head.shift) else { return nil }
            defer { shelf.entries[head.shift] = entry }
            let mounted = entry.mounted
            return CallDecision(Self.way(of: head, &entry), original: mounted?.original, shim: mounted?.shim)
        }
    }

    private static func way(of head: CallHead, _ entry: inout Entry) -> CallDecision.Way {
        switch entry.state.choose(PercentSpread(seed: entry.seed)) {
        case .original: return .original
        case .measured: return .measured
        case .target: return entry.target.map { .target($0) } ?? .measured
        case .shadow: return entry.target.map { .shadow($0, rules(entry)) } ?? .measured
        case .control:
            guard let control = entry.control else { return .measured }
            entry.controls.insert(CallKey(head))
            return .shadow(control, rules(entry))
        }
    }

    private static func rules(_ entry: Entry) -> ShadowRules {
        var rules = ShadowRules()
        rules.outputFiles = entry.state.spec.outputFiles
        return rules
    }

    package func ended(_ record: CallRecord) {
        let id = record.head.shift
        var isControl = false
        let found = change(id) { entry in
            isControl = entry.controls.remove(CallKey(record.head)) != nil
            // A paused shift counts nothing: nobody asked for it.
            guard record.way != .original else { return nil }
            return .ended(Self.event(record, isControl))
        }
        guard let found else { return }
        let spec = found.state.spec
        for call in ShiftLedger.entries(
            of: record, shift: id, program: spec.program, target: spec.target, isControl: isControl)
        {
            ledger.append(call)
        }
        if let shadow = record.shadow, shadow.outcome != nil { compare(record, shadow, found.comparison, isControl) }
    }

    private static func event(_ record: CallRecord, _ isControl: Bool) -> EndedCall {
        EndedCall(
            // The original has answered where there was a detour.
            way: record.detour != nil && record.way == .target ? .measured : record.way, detour: record.detour,
            answer: record.answer.map { RunMeasure($0) }, shadow: record.shadow?.outcome.map { RunMeasure($0) },
            isControl: isControl)
    }

    // MARK: Comparing

    /// Compares off the door's thread; when too many comparisons wait, this one is left out and counted.
    private func compare(_ record: CallRecord, _ shadow: ShadowOutcome, _ comparison: CallComparison, _ isControl: Bool)
    {
        let isFree = shelf.withLock { shelf in
            guard shelf.comparing < Self.comparisonLimit else {
                shelf.uncompared += 1
                return false
            }
            shelf.comparing += 1
            return true
        }
        guard isFree else { return }
        let call = Self.words(of: record.head)
        Task.detached(priority: .utility) { [self] in
            let original = ObservedRun(
                status: record.answer?.status, output: shadow.originalOutput, errors: shadow.originalErrors,
                files: shadow.originalFiles)
            let target = ObservedRun(
                status: shadow.outcome?.status, output: shadow.targetOutput, errors: shadow.targetErrors,
                files: shadow.targetFiles)
            let result = comparison.compare(original, target)
            shelf.withLock { $0.comparing -= 1 }
            change(record.head.shift) { _ in .compared(result, isControl: isControl, call: call) }
        }
    }

    /// Comparisons that were left out because too many waited.
    package var uncompared: Int { shelf.withLock { $0.uncompared } }

    /// The arguments, as far as a person wants to read them.
    private static func words(of head: CallHead) -> String {
        let text = head.arguments.bytes.prefix(200).dropLast(head.arguments.bytes.count > 200 ? 0 : 1)
        let words = text.split(separator: 0, omittingEmptySubsequences: false).map { word in
            let word = String(decoding: word, as: UTF8.self)
            return word.isEmpty || word.contains(where: { $0.isWhitespace || $0 == "'" }) ? "'\(word)'" : word
        }
        return words.joined(separator: " ") + (head.arguments.bytes.count > 200 ? " …" : "")
    }

    // MARK: Changing

    /// Lets something happen to a shift, and has done what follows from it.
    ///
    /// - Returns: the shift afterwards; nil when there is none.
    @discardableResult
    private func change(_ id: String, _ event: (inout Entry) -> ShiftEvent?) -> Entry? {
        let time = now()
        var actions: [ShiftAction] = []
        let entry = shelf.withLock { shelf -> Entry? in
            guard var entry = shelf.entries.removeValue(forKey: id) else { return nil }
            if let event = event(&entry) {
                entry.isDirty = true
                // Only verbs are refused.
                actions = (try? entry.state.handle(event, now: time)) ?? []
            }
            shelf.entries[id] = entry
            return entry
        }
        if !actions.isEmpty { perform(id, actions) }
        return entry
    }

    /// The same for what a person asks: the caller performs the actions.
    package func ask(_ id: String, _ event: ShiftEvent) throws(ShiftProblem) -> (
        state: ShiftState, actions: [ShiftAction]
    ) {
        let time = now()
        let result = shelf.withLock { shelf -> Result<(ShiftState, [ShiftAction]), ShiftProblem> in
            guard let before = shelf.entries[id] else {
                return .failure(ShiftProblem(.notFound, "there is no shift \(id)"))
            }
            var entry = before
            do throws(ShiftProblem) {
                let actions = try entry.state.handle(event, now: time)
                entry.isDirty = true
                if entry.state.spec.allowed != before.state.spec.allowed {
                    entry.comparison = CallComparison(entry.state.spec.allowed)
                }
                shelf.entries[id] = entry
                return .success((entry.state, actions))
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Puts a shift in, in the place of the one of its id.
    package func put(_ entry: Entry) { shelf.withLock { $0.entries[entry.state.id] = entry } }

    package func remove(_ id: String) { shelf.withLock { $0.entries[id] = nil } }

    package func entry(_ id: String) -> Entry? { shelf.withLock { $0.entries[id] } }

    package var entries: [Entry] { shelf.withLock { $0.entries.values.sorted { $0.state.id < $1.state.id } } }

    /// Changes what is beside the state: what is mounted, the target.
    package func equip(_ id: String, _ body: @Sendable (inout Entry) -> Void) {
        shelf.withLock { shelf in
            guard var entry = shelf.entries[id] else { return }
            body(&entry)
            shelf.entries[id] = entry
        }
    }

    /// Shifts that have changed since this was asked last.
    package func takeDirty() -> [Entry] {
        shelf.withLock { shelf in
            let dirty = shelf.entries.values.filter(\.isDirty)
            for entry in dirty { shelf.entries[entry.state.id]!.isDirty = false }
            return dirty
        }
    }
}
