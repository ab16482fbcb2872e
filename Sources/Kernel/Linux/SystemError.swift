/// A system call that failed: what was tried, on what, and why.
///
/// The sentence reads `mount proc on /proc: Operation not permitted (EPERM)`; a caller that knows what
/// the user can do about it adds `advice`.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operation in words a reader of man pages knows ("open", "mount proc").
    public var operation: String
    /// What it was applied to (a path, a descriptor's meaning, a pid); empty when there is nothing to name.
    public var subject: String
    /// The error number, errno(3).
    public var code: Errno
    /// What to do about it; empty when there is nothing to say.
    public var advice: String

    public init(_ operation: String, _ subject: String = "", code: Errno, advice: String = "") {
        self.operation = operation
        self.subject = subject
        self.code = code
        self.advice = advice
    }

    public var description: String {
        let what = subject.isEmpty ? operation : "\(operation) \(subject)"
        let reason = "\(what): \(code)"
        return advice.isEmpty ? reason : "\(reason). \(advice)"
    }
}

/// The result of a `ck_` wrapper, or a `SystemError` that names the operation. EINTR is retried.
///
/// EBADF and EFAULT are programmer errors here: a descriptor that another part closed, a bad pointer.
/// Going on would act on a stranger's descriptor, so they trap.
@discardableResult
package func call(
    _ operation: @autoclosure () -> String, _ subject: @autoclosure () -> String = "", _ body: () -> Int
) throws(SystemError) -> Int {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = Errno(CInt(-result))
        if code == .interrupted { continue }
        precondition(code != .badAddress, "\(operation()) \(subject()): bad address")
        throw SystemError(operation(), subject(), code: code)
    }
}
