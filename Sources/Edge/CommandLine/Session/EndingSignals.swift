import Linux
import Synchronization

/// Ends the process at a signal, once what it has begun is cleared up: a node of its own must not outlive it.
///
/// The signals must be blocked before any thread is made (`Verb.blockSignals`).
final class EndingSignals: Sendable {
    private let clearing = Mutex<(@Sendable () async -> Void)?>(nil)
    private let isEnding = Mutex(false)
    private static let numbers = [Signal.terminate, Signal.interrupt, Signal.hangUp, Signal.quit]

    /// Watches from now on, to the end of the process.
    init() throws {
        let signals = try SignalStream()
        Task {
            while let number = try? await signals.next() {
                guard Self.numbers.contains(number) else { continue }
                isEnding.withLock { $0 = true }
                await clearing.withLock { $0 }?()
                OwnProcess.exit(128 + number)
            }
        }
    }

    /// What is to be done before the process ends by a signal; replaces what was said before.
    func clear(_ body: @escaping @Sendable () async -> Void) { clearing.withLock { $0 = body } }

    /// Throws the error, unless it is the consequence of a signal: whoever took the signal ends the process.
    func rethrow(_ error: any Error) async throws -> Never {
        while isEnding.withLock({ $0 }) { try await Task.sleep(for: .seconds(1)) }
        throw error
    }
}
