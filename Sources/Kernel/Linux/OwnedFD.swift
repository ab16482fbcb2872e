import CKernel

/// An open descriptor with one owner, who closes it exactly once.
///
/// Every descriptor that Forkless opens is close-on-exec and lives in one of these; a plain `CInt` in a
/// signature is always borrowed. Closing is not retried: on Linux the descriptor is gone even after EINTR
/// (close(2)), and EBADF means that somebody closed a descriptor which was not theirs, so it traps.
public struct OwnedFD: ~Copyable, Sendable {
    /// The number, valid while this value lives. -1 after `release`.
    public let raw: CInt

    /// Takes over a descriptor that nobody else will close.
    public init(adopting raw: CInt) {
        precondition(raw >= 0, "a descriptor is not negative")
        self.raw = raw
    }

    deinit {
        let result = ck_close(raw)
        precondition(result != Int(-EBADF), "descriptor \(raw) was closed by somebody else")
    }

    /// Gives up ownership: the caller closes it from now on.
    public consuming func release() -> CInt {
        let number = raw
        discard self
        return number
    }

    /// Closes now rather than at the end of the scope.
    public consuming func close() {}

    /// A second descriptor of the same open file, with a number not below `lowest`.
    ///
    /// - Throws: `SystemError` (EMFILE at the limit on open files).
    public borrowing func duplicate(lowest: CInt = 0) throws(SystemError) -> OwnedFD {
        let source = raw
        return OwnedFD(
            adopting: CInt(try call("duplicate descriptor", "\(source)") { ck_dup_cloexec(source, lowest) }))
    }
}

/// A descriptor shared by several holders and closed when the last one lets go.
public final class SharedFD: Sendable {
    private let owned: OwnedFD

    public init(_ owned: consuming OwnedFD) { self.owned = owned }

    /// The number, valid while this object lives.
    public var raw: CInt { owned.raw }

    /// A second descriptor of the same open file, for somebody who closes it alone.
    ///
    /// - Throws: `SystemError` (EMFILE at the limit on open files).
    package func duplicate() throws(SystemError) -> OwnedFD { try owned.duplicate() }
}
