public import Linux

/// A program that could not be started: which step failed, on what, and why.
public struct SpawnError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried ("execute /usr/bin/pricer", "become user 1000").
    public var step: String
    public var code: Errno
    /// What to do about it; empty when there is nothing to say.
    public var advice: String

    public init(step: String, code: Errno, advice: String = "") {
        self.step = step
        self.code = code
        self.advice = advice
    }

    public init(_ error: SystemError) {
        self.init(
            step: error.subject.isEmpty ? error.operation : "\(error.operation) \(error.subject)", code: error.code,
            advice: error.advice)
    }

    public var description: String {
        let reason = "\(step): \(code)"
        return advice.isEmpty ? reason : "\(reason). \(advice)"
    }

    /// Refuses a text that execve(2) would cut off.
    static func check(_ text: String, as meaning: String) throws(SpawnError) {
        guard text.utf8.contains(0) else { return }
        throw SpawnError(
            step: "use the \(meaning) \(text.debugDescription)", code: .invalid,
            advice: "It holds a NUL byte, at which the kernel would cut it off.")
    }

    /// The failure of an exec, with what the error number means for it (execve(2), ERRORS).
    package static func execute(_ path: String, code: Errno) -> SpawnError {
        let advice =
            switch code {
            case .noEntry: "No such program, or its interpreter (the #! line or the dynamic linker) is missing."
            case .accessDenied: "The file is not executable, or a directory on the way may not be searched."
            case .badExecutable: "The file is no program of this machine, and a script needs a #! line."
            case .listTooLong: "Arguments and environment together are too long for the kernel."
            case .tooManyLinks: "Too many symbolic links or interpreters on the way."
            default: ""
            }
        return SpawnError(step: "execute \(path)", code: code, advice: advice)
    }
}

/// Runs what may fail as a system call and reports it as a failed start.
func spawning<Result: ~Copyable>(_ body: () throws(SystemError) -> Result) throws(SpawnError) -> Result {
    do { return try body() } catch { throw SpawnError(error) }
}
