package import Linux
internal import Synchronization

/// Where shifts are asked for: checks, mounts, keeps, and does what a shift's state wants done. One thing at a time.
///
/// Invariants (tests in ShiftDeskTests, and with real mounts in ShiftNodeTests)
/// 1. A shift that cannot be changes nothing: neither rows nor mounts are left. (`a shift that cannot be leaves nothing`)
/// 2. What was acknowledged survives the node. (`what was asked for survives a node that was killed`)
/// 3. A shim that somebody took away is not put back behind their back. (`a shim that was unmounted by hand stays away`)
/// 4. What a shim needs stays a while after it was taken away: one that was started before executes the original by its
///    path. (`the original stays reachable for shims that are under way`)
/// 5. Rolling back takes the shim away even while nothing can be written. (`a full disk does not keep a shim in its place`)
package final class ShiftDesk: Sendable {
    /// Makes what runs calls.
    package typealias TargetMaking =
        @Sendable (_ target: ShiftTarget, _ spec: ShiftSpec, _ program: ProgramFile, _ original: String)
        async throws(ShiftProblem) -> any CallTarget
    /// Makes what runs the original a second time, for control; nil where the node cannot.
    package typealias ControlMaking =
        @Sendable (_ program: ProgramFile, _ original: String) async throws(ShiftProblem) -> any CallTarget

    package let book: ShiftBook
    package let journal: ShiftJournal
    private let mounting: any ShiftMounting
    private let makeTarget: TargetMaking
    private let makeControl: ControlMaking
    private let announce: @Sendable (String) -> Void
    private let now: @Sendable () -> Timestamp
    private let chance: @Sendable () -> UInt64
    private let worker: SerialWorker
    /// Since when something may be there that no shift needs.
    private let untidySince = Mutex<Timestamp?>(nil)
    /// Longer than any shim waits for the node.
    private static let shimNanoseconds = 10_000_000_000

    package init(
        book: ShiftBook, journal: ShiftJournal, mounting: any ShiftMounting, worker: SerialWorker,
        makeTarget: @escaping TargetMaking,
        makeControl: @escaping ControlMaking, announce: @escaping @Sendable (String) -> Void,
        now: @escaping @Sendable () -> Timestamp = { Clock.now() },
        chance: @escaping @Sendable () -> UInt64 = { .random(in: .min ... .max) }
    ) {
        self.book = book
        self.journal = journal
        self.mounting = mounting
        self.worker = worker
        self.makeTarget = makeTarget
        self.makeControl = makeControl
        self.announce = announce
        self.now = now
        self.chance = chance
    }

    // MARK: Asking

    /// Begins a shift, or lets the one of this program go on as the specification has it.
    ///
    /// - Returns: the shift, and what people should know about it.
    package func begin(_ spec: ShiftSpec) async throws(ShiftProblem) -> (state: ShiftState, remarks: [String]) {
        try await worker.run { [self] () async throws(ShiftProblem) in try await beginNow(spec) }
    }

    private func beginNow(_ spec: ShiftSpec) async throws(ShiftProblem) -> (state: ShiftState, remarks: [String]) {
        let path = try await blocking { () throws(ShiftProblem) in try ProgramMounts.resolved(spec.program) }
        let id = ProgramMounts.id(of: path)
        if let entry = book.entry(id), entry.mounted != nil {
            return (try await change(entry, spec), entry.mounted?.file.remarks ?? [])
        }
        let file = try await blocking { [mounting] () throws(ShiftProblem) in try mounting.examine(spec.program) }
        for other in book.entries where other.state.id != id && other.state.isMountWanted {
            guard other.state.identity.isSameFile(as: file.identity) else { continue }
            throw ShiftProblem(
                .conflict,
                "shift \(spec.program): this very file is shifted already as \(other.state.spec.program), which is another name of it"
            )
        }
        let before = book.entry(id)
        var entry = ShiftBook.Entry(
            state: before?.state ?? ShiftState(id: id, spec: spec, identity: file.identity, now: now()),
            seed: before?.seed ?? chance())
        var kind = ShiftHistoryKind.created
        if before != nil {
            kind = .changed
            entry.state.identity = file.identity
            _ = try entry.state.handle(.asked(.change(spec)), now: now())
        }
        entry.comparison = CallComparison(spec.allowed)
        entry.target = try await target(spec, file)
        entry.control = try await control(spec, file)
        let text = "\(spec.stage)\(spec.target.map { " to \($0)" } ?? ""); limits: \(spec.limits.text)"
        try await settle(entry, before, kind, text)
        return (book.entry(id)?.state ?? entry.state, file.remarks)
    }

    /// Writes a shift down, puts it in the book and mounts it: all or nothing.
    private func settle(
        _ entry: ShiftBook.Entry, _ before: ShiftBook.Entry?, _ kind: ShiftHistoryKind, _ text: String
    ) async throws(ShiftProblem) {
        let (id, program) = (entry.state.id, entry.state.spec.program)
        try await commit(
            KeptShift(state: entry.state, seed: entry.seed, mountedIn: mounting.place),
            [history(entry.state, kind, text)])
        book.put(entry)
        do throws(ShiftProblem) {
            let mounted = try await blocking { [mounting] () throws(ShiftProblem) in
                try mounting.mount(id, program: program)
            }
            book.equip(id) { $0.mounted = mounted }
        } catch {
            if let before {
                book.put(before)
                try? await commit(kept(before), [history(before.state, .unmounted, "\(error)")])
            } else {
                book.remove(id)
                try? await journal.remove(id)
            }
            throw error
        }
        announce("\(entry.state.name): \(text).")
    }

    private func change(_ entry: ShiftBook.Entry, _ spec: ShiftSpec) async throws(ShiftProblem) -> ShiftState {
        guard let mounted = entry.mounted else { preconditionFailure("only what is mounted is changed") }
        let target = try await target(spec, mounted.file)
        let control = try await control(spec, mounted.file)
        book.equip(entry.state.id) { entry in
            entry.target = target
            entry.control = control
        }
        return try await askNow(entry.state.id, .change(spec))
    }

    private func target(_ spec: ShiftSpec, _ file: ProgramFile) async throws(ShiftProblem) -> (any CallTarget)? {
        guard let target = spec.target else { return nil }
        return try await makeTarget(target, spec, file, originalPath(file))
    }

    private func control(_ spec: ShiftSpec, _ file: ProgramFile) async throws(ShiftProblem) -> (any CallTarget)? {
        spec.controlPercent == 0 ? nil : try await makeControl(file, originalPath(file))
    }

    private func originalPath(_ file: ProgramFile) -> String {
        book.entry(ProgramMounts.id(of: file.path))?.mounted?.originalPath ?? mounting.original(of: file.path)
    }

    /// Pauses, resumes, rolls back.
    package func ask(_ id: String, _ verb: ShiftVerb) async throws(ShiftProblem) -> ShiftState {
        try await worker.run { [self] () async throws(ShiftProblem) in try await askNow(id, verb) }
    }

    private func askNow(_ id: String, _ verb: ShiftVerb) async throws(ShiftProblem) -> ShiftState {
        let (_, actions) = try book.ask(id, .asked(verb))
        // Not undone when the disk is full: somebody who rolls back wants the original at once.
        let problems = await performNow(id, actions)
        await journal.flush()
        if let problem = problems.first { throw problem }
        if let failure = journal.failure {
            announce("The shift \(id) could not be written down yet: \(failure)")
        }
        return book.entry(id)!.state
    }

    // MARK: Doing

    /// Does what a state wants done, when its turn comes.
    package func perform(_ id: String, _ actions: [ShiftAction]) {
        worker.submit { [self] in await performNow(id, actions) }
    }

    @discardableResult
    private func performNow(_ id: String, _ actions: [ShiftAction]) async -> [ShiftProblem] {
        guard let state = book.entry(id)?.state else { return [] }
        var entries: [ShiftHistoryEntry] = []
        var problems: [ShiftProblem] = []
        for action in actions {
            switch action {
            case .announce(let sentence): announce(sentence)
            case .record(let kind, let text): entries.append(history(state, kind, text))
            case .mount: if let problem = await mount(id) { problems.append(problem) }
            case .unmount: if let problem = await unmount(id) { problems.append(problem) }
            }
        }
        if let entry = book.entry(id) { journal.note(kept(entry), entries) }
        return problems
    }

    private func mount(_ id: String) async -> ShiftProblem? {
        guard let program = book.entry(id)?.state.spec.program else { return nil }
        do throws(ShiftProblem) {
            let mounted = try await blocking { [mounting] () throws(ShiftProblem) in
                try mounting.mount(id, program: program)
            }
            book.equip(id) { entry in
                entry.mounted = mounted
                entry.state.identity = mounted.file.identity
            }
            return nil
        } catch {
            let actions = (try? book.ask(id, .unmountable("\(error)")).actions) ?? []
            await performNow(id, actions)
            return error
        }
    }

    private func unmount(_ id: String) async -> ShiftProblem? {
        guard let program = book.entry(id)?.state.spec.program else { return nil }
        do throws(ShiftProblem) {
            try await blocking { [mounting] () throws(ShiftProblem) in try mounting.unmount(id, program: program) }
        } catch { return error }
        book.equip(id) { $0.mounted = nil }
        untidySince.withLock { $0 = now() }
        return nil
    }

    /// Removes what no shift needs any more.
    private func tidy(isEnding: Bool = false) async {
        let time = now()
        let isDue = untidySince.withLock { since in
            guard let from = since else { return false }
            guard isEnding || time.nanoseconds - from.nanoseconds >= Self.shimNanoseconds else { return false }
            since = nil
            return true
        }
        guard isDue else { return }
        let mounted = book.entries.compactMap(\.mounted)
        try? await blocking { [mounting] () throws(ShiftProblem) in mounting.tidy(mounted) }
    }

    // MARK: From node to node

    /// Takes up the shifts that are written down. Shims that are in place stay in use; after a reboot they are mounted again.
    package func open() async throws(ShiftProblem) {
        let kept: [KeptShift]
        do { kept = try await journal.shifts() } catch { throw ShiftProblem(.system, "\(error)") }
        for shift in kept { book.put(ShiftBook.Entry(state: shift.state, seed: shift.seed)) }
        await worker.run { [self] in for shift in kept { await takeUp(shift) } }
    }

    private func takeUp(_ shift: KeptShift) async {
        let id = shift.state.id
        let place = mounting.place
        if let note = await quietly({ $0.takeNote(id) }) ?? nil {
            announce("\(shift.state.name): \(note).")
            await performNow(id, (try? book.ask(id, .asked(.rollback)).actions) ?? [])
            return
        }
        guard shift.state.isMountWanted else {
            // A node that died between writing and unmounting.
            _ = await unmount(id)
            return
        }
        let path =
            (try? await blocking { () throws(ShiftProblem) in try ProgramMounts.resolved(shift.state.spec.program) })
            ?? shift.state.spec.program
        let look = await quietly { $0.look(id, at: path) } ?? MountLook(isMounted: false)
        if shift.mountedIn == place, !look.isMounted, look.program == nil || look.program == shift.state.identity {
            // The same boot: somebody has unmounted it while no node was there.
            await performNow(id, (try? book.ask(id, .unmounted).actions) ?? [])
            return
        }
        let before = shift.state.identity
        guard await mount(id) == nil, let entry = book.entry(id), let file = entry.mounted?.file else { return }
        if file.identity != before {
            book.equip(id) { $0.state.identity = before }
            await performNow(id, (try? book.ask(id, .replaced(file.identity)).actions) ?? [])
        }
        await equip(entry.state, file)
        if let entry = book.entry(id) { journal.note(self.kept(entry)) }
    }

    /// Makes the targets of a shift that was taken up; without them the original runs.
    private func equip(_ state: ShiftState, _ file: ProgramFile) async {
        do throws(ShiftProblem) {
            let target = try await target(state.spec, file)
            let control = try await control(state.spec, file)
            book.equip(state.id) { entry in
                entry.target = target
                entry.control = control
            }
        } catch {
            guard state.isActive, state.stage.mode != .measure else { return }
            announce("\(state.name): \(error)")
            await performNow(state.id, (try? book.ask(state.id, .asked(.pause(unmounts: false))).actions) ?? [])
        }
    }

    /// Looks whether shims and programs are what they were, and writes down what has changed. About once a second.
    package func look() async {
        await worker.run { [self] in
            for entry in book.entries where entry.state.isMountWanted { await look(at: entry) }
            for entry in book.takeDirty() { journal.note(kept(entry)) }
            await journal.flush()
            await tidy()
        }
    }

    private func look(at entry: ShiftBook.Entry) async {
        guard let mounted = entry.mounted else { return }
        let id = entry.state.id
        guard let look = await quietly({ $0.look(id, at: mounted.file.path) }) else { return }
        let event: ShiftEvent
        switch (look.isMounted, look.program) {
        case (true, entry.state.identity?), (true, nil): return
        case (_, let program?) where program != entry.state.identity: event = .replaced(program)
        case (false, nil):
            event = .unmountable("the program is gone, and a shim goes with the file that it stands over")
        case (_, _): event = .unmounted
        }
        if !look.isMounted { book.equip(id) { $0.mounted = nil } }
        await performNow(id, (try? book.ask(id, event).actions) ?? [])
    }

    /// Writes down what is known. Shims stay: without a node they run the original.
    package func close() async {
        await worker.run { [self] in
            for entry in book.entries { journal.note(kept(entry)) }
            await journal.flush()
            await tidy(isEnding: true)
        }
        await worker.stop()
    }

    // MARK: Words

    private func kept(_ entry: ShiftBook.Entry) -> KeptShift {
        KeptShift(state: entry.state, seed: entry.seed, mountedIn: entry.state.isMountWanted ? mounting.place : "")
    }

    private func history(_ state: ShiftState, _ kind: ShiftHistoryKind, _ text: String) -> ShiftHistoryEntry {
        ShiftHistoryEntry(shift: state.id, at: now(), kind: kind, stage: "\(state.stage)", text: text)
    }

    private func commit(_ shift: KeptShift, _ entries: [ShiftHistoryEntry]) async throws(ShiftProblem) {
        do { try await journal.commit(shift, entries) } catch {
            throw ShiftProblem(.system, "write down the shift of \(shift.state.spec.program): \(error)")
        }
    }

    private func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ShiftProblem) -> Value
    ) async throws(ShiftProblem) -> Value {
        let result: Result<Value, ShiftProblem>
        do throws(SystemError) {
            result = try await BlockingPool.shared.run { () throws(SystemError) in
                Result { () throws(ShiftProblem) in try body() }
            }
        } catch { throw ShiftProblem(.system, "\(error)") }
        return try result.get()
    }

    private func quietly<Value: Sendable>(_ body: @escaping @Sendable (any ShiftMounting) -> Value) async -> Value? {
        let mounting = mounting
        return try? await BlockingPool.shared.run { () throws(SystemError) in body(mounting) }
    }
}
