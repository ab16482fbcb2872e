import Linux

/// The signals that arrive for the program, awaited one by one.
///
/// They must be blocked (`ForwardedSignals.all`, before the first thread): then none gets lost between the start of
/// this process and the first wait.
final class SignalStream: Sendable {
    private let source: SignalFD

    init() throws(SystemError) { source = try SignalFD(ForwardedSignals.all) }

    /// The next signal.
    ///
    /// - Throws: `SystemError`; ECANCELED when the task was cancelled.
    func next() async throws(SystemError) -> Int32 {
        while true {
            if let number = try source.next() { return number }
            try await Readiness.shared.readable(source.fd.raw)
        }
    }
}
