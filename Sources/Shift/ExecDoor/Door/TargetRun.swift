internal import Linux
internal import Synchronization

/// One call on its way through a target, from the decision to its end.
///
/// Invariants
/// 1. The target is started only when the shim has read that one will be: a shim that gave up waiting has executed the
///    original. (test: `a shim that did not wait is not answered a second time`)
/// 2. The shim hears exactly one end: an exit, a signal, or that the original runs.
///    (test: `a call is answered by a target as by the original`)
final class TargetRun: Sendable {
    enum Outcome: Sendable {
        /// The target has answered.
        case answered(CallOutcome)
        /// The original runs instead.
        case detour(String)
        /// The caller's child is gone: nobody was answered.
        case abandoned(CallOutcome?)
    }

    private enum Shim {
        case unknown
        case awaited(CheckedContinuation<Bool, Never>)
        case ready
        case gone
    }

    private struct State {
        var shim = Shim.unknown
        var task: Task<Void, Never>?
    }

    let call: ShimCall
    let control: CallControl
    private let target: any CallTarget
    private let original: SharedFD?
    private let socket: SharedFD
    private let state = Mutex(State())

    init(_ call: ShimCall, _ target: any CallTarget, original: SharedFD?, socket: SharedFD) {
        self.call = call
        self.target = target
        self.original = original
        self.socket = socket
        control = CallControl { progress in
            switch progress {
            case .committed(let token): DoorConnection.send(ShimAnswer(.committed, token: token), to: socket)
            case .started: DoorConnection.send(ShimAnswer(.started), to: socket)
            }
        }
    }

    func start(_ report: @escaping @Sendable (Outcome) -> Void) {
        let task = Task { report(await self.run()) }
        let isGone = state.withLock { state in
            state.task = task
            if case .gone = state.shim { return true }
            return false
        }
        if isGone { task.cancel() }
    }

    /// The shim has read the answer, and waits.
    func shimIsReady() { settle(.ready)?.resume(returning: true) }

    /// The caller's child has ended: what runs is not wanted any more.
    func shimIsGone() {
        settle(.gone)?.resume(returning: false)
        state.withLock { $0.task }?.cancel()
    }

    private func settle(_ shim: Shim) -> CheckedContinuation<Bool, Never>? {
        state.withLock { state in
            defer { state.shim = shim }
            if case .awaited(let continuation) = state.shim { return continuation }
            return nil
        }
    }

    private func untilReady() async -> Bool {
        await withCheckedContinuation { continuation in
            let known: Bool? = state.withLock { state in
                switch state.shim {
                case .ready: return true
                case .gone: return false
                case .unknown, .awaited:
                    state.shim = .awaited(continuation)
                    return nil
                }
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    private func run() async -> Outcome {
        let obstacles = target.obstacles(to: call)
        guard obstacles.isEmpty else { return detour(obstacles.joined(separator: "; ")) }
        guard await untilReady() else { return .abandoned(nil) }
        let streams: CallStreams
        do { streams = try call.streams() } catch { return detour("\(error)") }
        switch await target.run(call, streams, control) {
        case .refused(let reason): return Task.isCancelled ? .abandoned(nil) : detour(reason)
        case .returned(let reason, let input): return Task.isCancelled ? .abandoned(nil) : detour(reason, input: input)
        case .ended(let status, let usage):
            let outcome = CallOutcome(status: status, usage: usage, wallNanoseconds: wall)
            return send(status) ? .answered(outcome) : .abandoned(outcome)
        case .lost:
            let outcome = CallOutcome(status: nil, usage: nil, wallNanoseconds: wall)
            return send(.signaled(Signal.kill, coreDumped: false)) ? .answered(outcome) : .abandoned(outcome)
        }
    }

    private var wall: Int { Clock.monotonicNanoseconds() - call.head.arrivedNanoseconds }

    private func send(_ status: ExitStatus) -> Bool {
        switch status {
        case .exited(let code): DoorConnection.send(ShimAnswer(.exited, value: code), to: socket)
        case .signaled(let number, _): DoorConnection.send(ShimAnswer(.signaled, value: number), to: socket)
        }
    }

    private func detour(_ reason: String, input: SharedFD? = nil) -> Outcome {
        var answer = ShimAnswer(.original)
        var descriptors: [CInt] = []
        if let original { descriptors.append(original.raw) }
        if let input {
            answer.streams = original == nil ? [.replacedInput] : [.original, .replacedInput]
            descriptors.append(input.raw)
        }
        let isSent = DoorConnection.send(answer, descriptors, to: socket)
        withExtendedLifetime(input) {}
        return isSent ? .detour(reason) : .abandoned(nil)
    }
}
