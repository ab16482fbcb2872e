import CKernel

/// An error number with its name and meaning, errno(3).
public struct Errno: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: CInt

    public init(rawValue: CInt) { self.rawValue = rawValue }
    public init(_ rawValue: CInt) { self.rawValue = rawValue }

    public static let notPermitted = Errno(EPERM)
    public static let noEntry = Errno(ENOENT)
    public static let noProcess = Errno(ESRCH)
    public static let interrupted = Errno(EINTR)
    public static let inputOutput = Errno(EIO)
    public static let noDevice = Errno(ENXIO)
    public static let noSuchDevice = Errno(ENODEV)
    public static let listTooLong = Errno(E2BIG)
    public static let badExecutable = Errno(ENOEXEC)
    public static let badDescriptor = Errno(EBADF)
    public static let noChild = Errno(ECHILD)
    public static let again = Errno(EAGAIN)
    public static let noMemory = Errno(ENOMEM)
    public static let accessDenied = Errno(EACCES)
    public static let badAddress = Errno(EFAULT)
    public static let busy = Errno(EBUSY)
    public static let exists = Errno(EEXIST)
    public static let crossDevice = Errno(EXDEV)
    public static let notDirectory = Errno(ENOTDIR)
    public static let isDirectory = Errno(EISDIR)
    public static let invalid = Errno(EINVAL)
    public static let tooManyOpenFiles = Errno(EMFILE)
    public static let notTerminal = Errno(ENOTTY)
    public static let noSpace = Errno(ENOSPC)
    public static let readOnlyFileSystem = Errno(EROFS)
    public static let brokenPipe = Errno(EPIPE)
    public static let nameTooLong = Errno(ENAMETOOLONG)
    public static let notImplemented = Errno(ENOSYS)
    public static let notEmpty = Errno(ENOTEMPTY)
    public static let tooManyLinks = Errno(ELOOP)
    public static let messageTooLong = Errno(EMSGSIZE)
    public static let notSupported = Errno(EOPNOTSUPP)
    public static let addressInUse = Errno(EADDRINUSE)
    public static let connectionReset = Errno(ECONNRESET)
    public static let connectionRefused = Errno(ECONNREFUSED)
    public static let timedOut = Errno(ETIMEDOUT)
    public static let canceled = Errno(ECANCELED)

    /// The symbolic name ("EPERM"), or the number where this library knows none.
    public var name: String { strerrorname(rawValue) }

    /// The meaning and the name: "Operation not permitted (EPERM)".
    public var description: String { "\(meaning) (\(name))" }

    /// The meaning in the words of strerror(3).
    public var meaning: String {
        guard let text = strerror(rawValue) else { return "error \(rawValue)" }
        return String(cString: text)
    }
}

private func strerrorname(_ number: CInt) -> String {
    // glibc has strerrorname_np since 2.32 (strerror(3)).
    guard let text = ck_error_name(number) else { return "errno \(number)" }
    return String(cString: text)
}
