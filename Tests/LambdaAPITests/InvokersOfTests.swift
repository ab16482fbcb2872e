import Functions
import HTTPServing
import Synchronization

@testable import LambdaAPI

/// Notes whether it was always called on a loop.
final class LoopSeen: Sendable {
    let loop = Mutex<ServingLoop?>(nil)
    private let notes = Mutex<[Bool]>([])

    func note() {
        let isThere = loop.withLock { $0?.isCurrent ?? false }
        notes.withLock { $0.append(isThere) }
    }

    var isAlways: Bool { notes.withLock { !$0.isEmpty && $0.allSatisfy { $0 } } }
}

/// Answers only when it is told.
final class HeldInvoker: Invoker {
    private let held = Mutex<[(FunctionCall, @Sendable (InvocationOutcome) -> Void)]>([])

    func invoke(_ call: FunctionCall, _ done: @escaping @Sendable (InvocationOutcome) -> Void) {
        held.withLock { $0.append((call, done)) }
    }

    func release() {
        let all = held.withLock { held in
            defer { held = [] }
            return held
        }
        for (call, done) in all { done(ScriptedInvoker.echo(call)) }
    }
}
