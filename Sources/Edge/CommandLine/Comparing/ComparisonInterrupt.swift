import Comparison
import Linux
import Synchronization

/// Ends a comparison at a signal: the first one takes the measuring back, so that what there is until then is written; a
/// second one ends the process.
final class ComparisonInterrupt: Sendable {
    private static let ending = [Signal.terminate, Signal.interrupt, Signal.hangUp, Signal.quit]
    private let signals: SignalStream
    private let ended = Mutex<Int32?>(nil)

    init() throws(SystemError) { signals = try SignalStream() }

    /// The signal that came; nil: none.
    var signal: Int32? { ended.withLock { $0 } }

    /// Watches until it is cancelled.
    func watch(_ measuring: Task<ComparisonReport, Never>, _ session: NodeForComparison) -> Task<Void, Never> {
        Task {
            while let number = try? await signals.next() {
                guard Self.ending.contains(number) else { continue }
                let isSecond = ended.withLock { ended in
                    defer { ended = ended ?? number }
                    return ended != nil
                }
                if isSecond {
                    await session.close()
                    OwnProcess.exit(128 + number)
                }
                measuring.cancel()
            }
        }
    }
}
