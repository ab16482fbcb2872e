internal import Linux

/// Calls whose originals run in place: their ends and what they used, put together from what the kernel tells.
///
/// The process is the caller's child, so only the caller can wait for it. We hold it by descriptor: it becomes readable when
/// the process has ended, and says how (PIDFD_GET_INFO, Linux 6.15) once the caller has reaped it. What it used is in the
/// accounting record that the kernel sends at its end. Nothing of this touches the process, whose rusage the caller gets
/// unchanged.
struct MeasuredCalls {
    struct Finished {
        var record: CallRecord
        var process: SharedFD
        var token: UInt64?
        /// Takes the record of a shadowed call's original.
        var shadow: ShadowRun?
    }

    private struct Call {
        var head: CallHead
        var process: SharedFD
        var detour: String?
        var shadow: ShadowRun?
        var decisionNanoseconds = 0
        var token: UInt64?
        var endedNanoseconds: Int?
        var status: ExitStatus?
    }

    private var calls: [Int32: Call] = [:]
    private var pids: [UInt64: Int32] = [:]
    private var accounts = CallAccounts()
    private let openAccounting: @Sendable () -> (any TaskEnds)?
    private var accounting: (any TaskEnds)?
    private var hasNoAccounting = false
    private var finished: [Finished] = []
    private let limit: Int

    /// How long after its end a process may stay unreaped before it is recorded without a status, and a record of its
    /// use may be late.
    private static let reapLimit = 10_000_000_000
    private static let accountLimit = 200_000_000

    init(limit: Int, accounting: @escaping @Sendable () -> (any TaskEnds)?) {
        self.limit = limit
        openAccounting = accounting
    }

    var isEmpty: Bool { calls.isEmpty }

    mutating func track(
        _ head: CallHead, _ process: SharedFD, detour: String?, shadow: ShadowRun? = nil, watchAccounts: (CInt) -> Void
    ) {
        if let former = calls[head.pid] { finish(head.pid, former) }
        if accounting == nil, !hasNoAccounting {
            // Without the right to it (CAP_NET_ADMIN) calls are recorded without what they used.
            accounting = openAccounting()
            if let accounting { watchAccounts(accounting.fd) } else { hasNoAccounting = true }
        }
        if calls.count < limit { accounts.track(head.pid) }
        calls[head.pid] = Call(head: head, process: process, detour: detour, shadow: shadow)
    }

    mutating func answered(_ pid: Int32, decisionNanoseconds: Int) {
        calls[pid]?.decisionNanoseconds = decisionNanoseconds
    }

    mutating func watched(_ pid: Int32, _ token: UInt64) {
        calls[pid]?.token = token
        pids[token] = pid
    }

    /// Its end cannot be awaited: it is recorded as it is known.
    mutating func cannotWatch(_ pid: Int32) { if let call = calls[pid] { finish(pid, call) } }

    /// Something happened to the process of this token.
    mutating func changed(_ token: UInt64) {
        guard let pid = pids[token] else { return }
        look(pid, now: Clock.monotonicNanoseconds())
    }

    mutating func readAccounts() {
        guard let accounting else { return }
        while true {
            let batch = accounting.take()
            for task in batch.tasks { accounts.book(task) }
            if !batch.mayHaveMore { break }
        }
        for (pid, call) in calls where call.status != nil && accounts.isComplete(pid) { finish(pid, call) }
    }

    mutating func tick(_ now: Int) {
        for pid in Array(calls.keys) { look(pid, now: now) }
    }

    mutating func takeFinished() -> [Finished] {
        defer { finished = [] }
        return finished
    }

    private mutating func look(_ pid: Int32, now: Int) {
        guard var call = calls[pid] else { return }
        if call.endedNanoseconds == nil {
            guard OtherProcess.hasEnded(call.process.raw) else { return }
            call.endedNanoseconds = now
        }
        call.status = call.status ?? OtherProcess.end(of: call.process.raw)
        calls[pid] = call
        let waited = now - call.endedNanoseconds!
        let hasAccount = accounting == nil || accounts.isComplete(pid) || waited > Self.accountLimit
        if call.status != nil ? hasAccount : waited > Self.reapLimit { finish(pid, call) }
    }

    private mutating func finish(_ pid: Int32, _ call: Call) {
        calls[pid] = nil
        if let token = call.token { pids[token] = nil }
        let end = call.endedNanoseconds ?? Clock.monotonicNanoseconds()
        let outcome = CallOutcome(
            status: call.status, usage: accounts.take(pid), wallNanoseconds: end - call.head.arrivedNanoseconds)
        let record = CallRecord(
            head: call.head, way: .measured, detour: call.detour, decisionNanoseconds: call.decisionNanoseconds,
            answer: outcome)
        finished.append(Finished(record: record, process: call.process, token: call.token, shadow: call.shadow))
    }
}
