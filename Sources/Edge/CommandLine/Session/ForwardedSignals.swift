import Linux

/// The signals that `run` and `exec` pass on to the program instead of dying of them.
enum ForwardedSignals {
    /// Passed on as they are.
    static let passedOn = [
        Signal.hangUp, Signal.interrupt, Signal.quit, Signal.terminate, Signal.user1, Signal.user2,
    ]
    /// What is blocked: a change of the window goes to the program as the new size of its terminal.
    static let all = passedOn + [Signal.windowChange]
}
