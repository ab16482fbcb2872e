internal import Linux
internal import Spawn

/// The door's thread: connections in, decisions out, ends of measured calls in.
///
/// Invariants
/// 1. Each call that was decided is told to the decider exactly once. (test: `every call is recorded once`)
/// 2. Whatever a connection sends, the others are served. (test: `garbage is let go of and others are served`)
final class DoorThread {
    struct Parts: Sendable {
        var listener: SharedFD
        var wake: SharedFD
        var inbox: DoorInbox
        var settings: DoorSettings
        var decider: any CallDecider
        var resumption: (any CallResumption)?
        var accounting: @Sendable () -> (any TaskEnds)?
    }

    private enum Watched {
        case listener
        case wake
        case connection(DoorConnection)
        case measured
        case accounting
    }

    let parts: Parts
    private var watched: [UInt64: Watched] = [:]
    private var lastToken: UInt64 = 0
    private var poll: DoorPoll
    private var scratch = [UInt8](repeating: 0, count: 64 << 10)
    private var running: [UInt64: RunningCall] = [:]
    private var measured: MeasuredCalls
    private var isStopping = false

    private struct RunningCall {
        var run: TargetRun
        var decisionNanoseconds: Int
        var wasStopped = false
    }

    init(_ parts: Parts) {
        self.parts = parts
        do { poll = try DoorPoll() } catch { preconditionFailure("\(error)") }
        measured = MeasuredCalls(limit: parts.settings.measuredLimit, accounting: parts.accounting)
    }

    func run() {
        watch(parts.listener.raw, .readable, .listener)
        watch(parts.wake.raw, .readable, .wake)
        while !isStopping {
            let events: [Poll.Event]
            do { events = try poll.wait(milliseconds: pause) } catch { preconditionFailure("\(error)") }
            for event in events { handle(event) }
            tick()
        }
        // Targets run on, and so do their tasks; the shims look for the next node.
        for case .connection(let connection) in watched.values { MessageSocket.end(connection.fd.raw) }
        parts.inbox.ended()
    }

    /// The tick is needed only while something is waited for that tells nobody.
    private var pause: Int32 {
        running.isEmpty && measured.isEmpty && !hasReaders ? -1 : 100
    }

    private var readers = 0
    /// Calls whose shadows are being prepared, and the shadows that run.
    private var preparing: [UInt64: PreparedCall] = [:]
    private var shadows = 0

    private struct PreparedCall {
        var connection: DoorConnection
        var original: SharedFD?
    }

    private var hasReaders: Bool { readers > 0 }

    @discardableResult
    private func watch(_ fd: CInt, _ interest: Poll.Interest, _ what: Watched) -> UInt64? {
        lastToken += 1
        do { try poll.poll.add(fd, interest, token: lastToken) } catch { return nil }
        watched[lastToken] = what
        return lastToken
    }

    private func handle(_ event: Poll.Event) {
        switch watched[event.token] {
        case .listener: acceptAll()
        case .wake:
            _ = try? Files.readAvailable(parts.wake.raw, into: &scratch)
            for note in parts.inbox.take() { handle(note) }
        case .connection(let connection): read(connection, event.token)
        case .measured: measured.changed(event.token)
        case .accounting: measured.readAccounts()
        case nil: break
        }
        report(measured.takeFinished())
    }

    private func handle(_ note: DoorInbox.Note) {
        switch note {
        case .stop: isStopping = true
        case .finished(let token, let outcome): finished(token, outcome)
        case .prepared(let token, let prepared): begin(prepared, token)
        case .shadowed(let record):
            shadows -= 1
            parts.decider.ended(record)
        }
    }

    // Connections.

    private func acceptAll() {
        while true {
            do throws(SystemError) {
                let fd = SharedFD(try MessageSocket.accept(from: parts.listener.raw))
                guard readers < parts.settings.connectionLimit else { continue }
                let peer = try MessageSocket.peer(of: fd.raw)
                let process = SharedFD(try OtherProcess.peer(of: fd.raw))
                // A process of a pid namespace that does not show here cannot be told from others.
                guard peer.pid > 0 else {
                    parts.inbox.count { $0.refused += 1 }
                    continue
                }
                let connection = DoorConnection(
                    fd: fd, process: process, peer: peer, acceptedAt: Clock.monotonicNanoseconds())
                guard let token = watch(fd.raw, .readable, .connection(connection)) else { continue }
                readers += 1
                // The call is mostly there already.
                read(connection, token)
            } catch {
                // EAGAIN: nobody waits. At the limit on descriptors shims are not kept waiting either: they give up.
                return
            }
        }
    }

    private func read(_ connection: DoorConnection, _ token: UInt64) {
        while true {
            switch connection.take(scratch: &scratch) {
            case .nothing: return
            case .end: return drop(connection, token)
            case .message(let message):
                switch (connection.state, message.head.kind) {
                case (.reading, .call): decide(message, connection, token)
                case (.reading, .resume): resume(message, connection, token)
                case (.running(let run), .ready): run.shimIsReady()
                case (.running(let run), .signal):
                    run.control.deliver(Int32(truncatingIfNeeded: message.head.argumentCount))
                default: return drop(connection, token)
                }
                if case .done = connection.state { return }
            }
        }
    }

    /// Forgets a connection whose shim is gone or makes no sense.
    private func drop(_ connection: DoorConnection, _ token: UInt64) {
        switch connection.state {
        case .reading:
            readers -= 1
            parts.inbox.count { $0.refused += 1 }
        case .running(let run): run.shimIsGone()
        // It did not wait, or was killed: the answer will find nobody.
        case .preparing, .done: break
        }
        forget(connection, token)
    }

    private func forget(_ connection: DoorConnection, _ token: UInt64) {
        connection.state = .done
        poll.poll.remove(connection.fd.raw)
        watched[token] = nil
    }

    // Decisions.

    private func decide(_ message: DoorConnection.Incoming, _ connection: DoorConnection, _ token: UInt64) {
        let now = Clock.monotonicNanoseconds()
        guard let strings = message.head.strings(in: message.block) else { return drop(connection, token) }
        let head = CallHead(
            shift: message.head.shift, arguments: strings.arguments, environment: strings.environment,
            pid: connection.peer.pid, uid: connection.peer.uid, gid: connection.peer.gid, arrivedAt: Clock.now(),
            arrivedNanoseconds: now, socketNumber: message.head.socket, signalMask: message.head.signalMask)
        readers -= 1
        parts.inbox.count { $0.calls += 1 }
        guard let decision = parts.decider.decide(head) else {
            connection.send(ShimAnswer(.original))
            return forget(connection, token)
        }
        let original = decision.original
        switch isShim(connection, decision.shim) ? decision.way : .original {
        case .original:
            answerOriginal(connection, original)
            forget(connection, token)
            parts.inbox.count { $0.originals += 1 }
            parts.decider.ended(CallRecord(head: head, way: .original, decisionNanoseconds: since(now)))
        case .measured: measure(head, connection, token, original, detour: nil)
        case .target(let target):
            guard running.count < parts.settings.runLimit else {
                return measure(
                    head, connection, token, original, detour: "\(parts.settings.runLimit) calls run already")
            }
            start(target, head, connection, token, original)
        case .shadow(let target, let rules):
            shadow(target, rules, head, connection, token, original)
        }
    }

    /// Whether what asks is the shim itself, and not somebody who may not execute the program.
    private func isShim(_ connection: DoorConnection, _ shim: ProgramIdentity?) -> Bool {
        guard let shim else { return true }
        guard let there = try? ProgramIdentity.of("/proc/\(connection.peer.pid)/exe") else { return false }
        return there.isSameFile(as: shim) && !OtherProcess.hasEnded(connection.process.raw)
    }

    private func answerOriginal(_ connection: DoorConnection, _ original: SharedFD?) {
        connection.send(ShimAnswer(.original), original.map { [$0.raw] } ?? [])
    }

    private func since(_ start: Int) -> Int { Clock.monotonicNanoseconds() - start }

    /// The original runs in place, and its end is awaited by the descriptor of its process.
    private func measure(
        _ head: CallHead, _ connection: DoorConnection, _ token: UInt64, _ original: SharedFD?, detour: String?
    ) {
        follow(head, connection.process, detour: detour) {
            answerOriginal(connection, original)
            forget(connection, token)
        }
        parts.inbox.count { if detour == nil { $0.measured += 1 } else { $0.detours += 1 } }
    }

    /// Takes part in a call whose original runs, from the answer that lets it to its end.
    private func follow(
        _ head: CallHead, _ process: SharedFD, detour: String?, shadow: ShadowRun? = nil, _ answer: () -> Void
    ) {
        // Tracked first: it may end before we look again.
        measured.track(
            head, process, detour: detour, shadow: shadow,
            watchAccounts: { [self] fd in _ = watch(fd, .readable, .accounting) })
        answer()
        measured.answered(head.pid, decisionNanoseconds: since(head.arrivedNanoseconds))
        watchEnd(head.pid, process)
    }

    private func watchEnd(_ pid: Int32, _ process: SharedFD) {
        lastToken += 1
        let token = lastToken
        // On the edge: once when it has ended, once more when it was reaped.
        let edge = Poll.Interest(rawValue: Poll.Interest.readable.rawValue | 1 << 31)
        do { try poll.poll.add(process.raw, edge, token: token) } catch { return measured.cannotWatch(pid) }
        watched[token] = .measured
        measured.watched(pid, token)
    }

    private func report(_ finished: [MeasuredCalls.Finished]) {
        for call in finished {
            if let token = call.token { watched[token] = nil }
            poll.poll.remove(call.process.raw)
            if let shadow = call.shadow { shadow.originalEnded(call.record) } else { parts.decider.ended(call.record) }
        }
    }

    // Targets.

    private func start(
        _ target: any CallTarget, _ head: CallHead, _ connection: DoorConnection, _ token: UInt64, _ original: SharedFD?
    ) {
        let call = ShimCall(head: head, process: connection.process)
        let run = TargetRun(call, target, original: original, socket: connection.fd)
        guard connection.send(ShimAnswer(.target)) else {
            return measure(head, connection, token, original, detour: "the shim did not wait for the decision")
        }
        connection.state = .running(run)
        running[token] = RunningCall(run: run, decisionNanoseconds: since(head.arrivedNanoseconds))
        parts.inbox.count { $0.running += 1 }
        let inbox = parts.inbox
        run.start { inbox.post(.finished(connection: token, $0)) }
    }

    private func finished(_ token: UInt64, _ outcome: TargetRun.Outcome) {
        guard let call = running.removeValue(forKey: token) else { return }
        parts.inbox.count { $0.running -= 1 }
        var connection: DoorConnection?
        if case .connection(let known)? = watched[token] { connection = known }
        var record = CallRecord(head: call.run.call.head, way: .target, decisionNanoseconds: call.decisionNanoseconds)
        switch outcome {
        case .answered(let answer):
            parts.inbox.count { $0.targets += 1 }
            record.answer = answer
        case .abandoned(let answer):
            // The caller has killed it, as it would have killed the original: that is no detour.
            record.answer = answer
        case .detour(let reason):
            parts.inbox.count { $0.detours += 1 }
            // It was answered when the target gave up.
            return follow(record.head, call.run.call.process, detour: reason) {
                if let connection { forget(connection, token) }
            }
        }
        if let connection { forget(connection, token) }
        parts.decider.ended(record)
    }

    private func resume(_ message: DoorConnection.Incoming, _ connection: DoorConnection, _ token: UInt64) {
        readers -= 1
        guard let callToken = CallToken(message.block) else { return forget(connection, token) }
        let resumption = parts.resumption
        let fd = connection.fd
        connection.state = .done
        Task {
            let end = await resumption?.end(of: callToken, CallControl())
            switch end {
            case .ended(.exited(let code), _)?: DoorConnection.send(ShimAnswer(.exited, value: code), to: fd)
            case .ended(.signaled(let number, _), _)?: DoorConnection.send(ShimAnswer(.signaled, value: number), to: fd)
            case .refused?, .returned?: DoorConnection.send(ShimAnswer(.original), to: fd)
            case .lost?, nil: DoorConnection.send(ShimAnswer(.signaled, value: Signal.kill), to: fd)
            }
        }
        forget(connection, token)
    }

    // Shadows.

    private func shadow(
        _ target: any CallTarget, _ rules: ShadowRules, _ head: CallHead, _ connection: DoorConnection, _ token: UInt64,
        _ original: SharedFD?
    ) {
        guard preparing.count + shadows < parts.settings.runLimit else {
            return measure(head, connection, token, original, detour: "\(parts.settings.runLimit) calls run already")
        }
        let call = ShimCall(head: head, process: connection.process, shadow: rules)
        connection.state = .preparing
        preparing[token] = PreparedCall(connection: connection, original: original)
        Self.prepare(call, target, rules, token, parts.inbox)
    }

    private static func prepare(
        _ call: ShimCall, _ target: any CallTarget, _ rules: ShadowRules, _ token: UInt64, _ inbox: DoorInbox
    ) {
        Task { inbox.post(.prepared(connection: token, await prepare(call, target, rules))) }
    }

    /// Reads what the target is to be given, while the shim waits.
    private static func prepare(
        _ call: ShimCall, _ target: any CallTarget, _ rules: ShadowRules
    ) async -> DoorInbox.Prepared {
        do {
            return try await BlockingPool.shared.run { () throws(SystemError) in
                let obstacles = target.obstacles(to: call)
                guard obstacles.isEmpty else {
                    return DoorInbox.Prepared(head: call.head, obstacle: obstacles.joined(separator: "; "))
                }
                // Looked at before the original can write them.
                _ = call.outputs
                do throws(ShadowStreams.Unshadowed) {
                    return DoorInbox.Prepared(
                        head: call.head, run: ShadowRun(call, target, rules), streams: try ShadowStreams(call))
                } catch { return DoorInbox.Prepared(head: call.head, obstacle: error.reason) }
            }
        } catch { return DoorInbox.Prepared(head: call.head, obstacle: "\(error)") }
    }

    private func begin(_ prepared: DoorInbox.Prepared, _ token: UInt64) {
        guard let call = preparing.removeValue(forKey: token) else { return }
        if let reason = prepared.obstacle {
            return measure(prepared.head, call.connection, token, call.original, detour: reason)
        }
        guard let run = prepared.run, let streams = prepared.streams else { return }
        beginShadow(run, streams, prepared.head, call, token)
    }

    private func beginShadow(
        _ run: ShadowRun, _ streams: ShadowStreams, _ head: CallHead, _ call: PreparedCall, _ token: UInt64
    ) {
        let (connection, original) = (call.connection, call.original)
        follow(head, connection.process, detour: nil, shadow: run) {
            var answer = ShimAnswer(streams.carried.isEmpty ? .original : .shadow, streams: streams.carried)
            if original != nil { answer.streams.insert(.original) }
            connection.send(answer, (original.map { [$0.raw] } ?? []) + streams.copies.map(\.raw))
            forget(connection, token)
        }
        parts.inbox.count { $0.shadows += 1 }
        shadows += 1
        // From now on the carrier alone holds its ends.
        Self.finish(run, streams.withoutCopies, parts.inbox)
    }

    private static func finish(_ run: ShadowRun, _ streams: ShadowStreams, _ inbox: DoorInbox) {
        Task { inbox.post(.shadowed(await run.run(streams))) }
    }

    // What nothing tells of.

    private func tick() {
        let now = Clock.monotonicNanoseconds()
        measured.tick(now)
        report(measured.takeFinished())
        if hasReaders { dropSilent(now) }
        for token in Array(running.keys) { lookWhetherStopped(token) }
    }

    private func dropSilent(_ now: Int) {
        let limit = parts.settings.headMilliseconds * 1_000_000
        for (token, what) in watched {
            guard case .connection(let connection) = what, case .reading = connection.state,
                now - connection.acceptedAt > limit
            else { continue }
            drop(connection, token)
        }
    }

    /// SIGSTOP cannot be passed on by whom it stops: a stopped shim's target is stopped, too. SIGCONT is passed on.
    private func lookWhetherStopped(_ token: UInt64) {
        guard let call = running[token], let stat = try? Files.read("/proc/\(call.run.call.head.pid)/stat"),
            let close = stat.lastIndex(of: UInt8(ascii: ")")), close + 2 < stat.count
        else { return }
        let isStopped = stat[close + 2] == UInt8(ascii: "T")
        if isStopped, !call.wasStopped { call.run.control.deliver(Signal.stop) }
        running[token]?.wasStopped = isStopped
    }
}

/// An epoll instance with its room for events.
struct DoorPoll: ~Copyable {
    let poll: Poll
    private var events: [Poll.Event] = []

    init() throws(SystemError) { poll = try Poll() }

    mutating func wait(milliseconds: Int32) throws(SystemError) -> [Poll.Event] {
        try poll.wait(timeoutMilliseconds: milliseconds, into: &events)
        return events
    }
}
