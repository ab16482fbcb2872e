internal import Synchronization

/// The end of one program, for one who waits for it: told before or after that.
package final class AwaitedEnd: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<ProgramEnd, Never>)
        case told(ProgramEnd)
    }

    private let state = Mutex(State.open)

    package init() {}

    /// Once: `SandboxLives` tells each end once.
    package func tell(_ end: ProgramEnd) {
        let waiter = state.withLock { state -> CheckedContinuation<ProgramEnd, Never>? in
            switch state {
            case .told: preconditionFailure("an end is told once")
            case .open:
                state = .told(end)
                return nil
            case .awaited(let waiter):
                state = .told(end)
                return waiter
            }
        }
        waiter?.resume(returning: end)
    }

    /// Waits for it. Also when the task is cancelled: who wants an end sooner kills the program.
    package var value: ProgramEnd {
        get async {
            await withCheckedContinuation { continuation in
                let end = state.withLock { state -> ProgramEnd? in
                    switch state {
                    case .told(let end): return end
                    case .awaited: preconditionFailure("two wait for one end")
                    case .open:
                        state = .awaited(continuation)
                        return nil
                    }
                }
                if let end { continuation.resume(returning: end) }
            }
        }
    }
}
