import Engine
import Linux
import Synchronization

/// A program in the foreground: it gets our signals, we wait for its end, and the caller gets its status.
///
/// A signal that arrives while the program is being started is kept for it. When the start takes longer than
/// `patience` after that, the request is taken back instead.
final class ForegroundProgram: Sendable {
    /// How a signal or a size reaches the program, once it runs.
    struct Reach: Sendable {
        var signal: @Sendable (Int32) async throws -> Void
        var resize: (@Sendable (Terminal.Size) async throws -> Void)?
    }

    /// A start takes a fraction of this; one that takes longer will not come while somebody presses Ctrl-C.
    private static let patience = Duration.seconds(2)

    private let signals: SignalStream
    private let reach = Mutex<Reach?>(nil)
    private let isDetached = Published(false)

    init() throws(SystemError) { signals = try SignalStream() }

    /// The program runs: from now on signals go to it.
    func runs(_ newReach: Reach) { reach.withLock { $0 = newReach } }

    /// The user has left: the program runs on without us.
    func detach() { isDetached.set(true) }

    /// Performs `body`, which starts the program and waits for it, while signals are passed on.
    ///
    /// - Throws: `ProgramStatus` 0 after `detach`, 128+n when signal n came before the program ran; what `body` throws.
    func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Step<Value>.self) { group in
            group.addTask { .ended(try await body()) }
            group.addTask { try await self.passSignalsOn() }
            group.addTask { .detached(await self.isDetached.wait { $0 } != nil) }
            defer { group.cancelAll() }
            while let step = try await group.next() {
                switch step {
                case .ended(let value): return value
                case .stopped(let number): throw ProgramStatus(code: 128 + number)
                case .detached(true): throw ProgramStatus(code: 0)
                case .detached(false): continue
                }
            }
            preconditionFailure("the body's task always ends")
        }
    }

    private enum Step<Value: Sendable>: Sendable {
        case ended(Value)
        case stopped(Int32)
        /// False: waiting for it was taken back.
        case detached(Bool)
    }

    /// Ends only with a signal before the start; cancelled otherwise.
    private func passSignalsOn<Value>() async throws -> Step<Value> {
        while true {
            let number = try await signals.next()
            guard let reach = try await untilReachable() else {
                if number == Signal.windowChange { continue }
                return .stopped(number)
            }
            do {
                if number == Signal.windowChange {
                    if let size = TerminalSession.size() { try await reach.resize?(size) }
                } else {
                    try await reach.signal(number)
                }
                // Our terminal is gone, and the program's was a window into it: nobody can end it from there any more.
                if number == Signal.hangUp, reach.resize != nil, !Terminal.isTerminal(StandardStreams.input) {
                    return .stopped(number)
                }
            } catch let failure as NodeFailure where failure.kind == .notFound || failure.kind == .conflict {
                // It ended while the signal was on its way.
            } catch {
                StandardStreams.writeError("forkless: pass \(Signal.name(of: number)) on: \(error)\n")
            }
        }
    }

    /// How to reach the program, as soon as it runs; nil when it does not in time.
    private func untilReachable() async throws -> Reach? {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            if let reach = reach.withLock({ $0 }) { return reach }
            guard ContinuousClock.now < deadline else { return nil }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
