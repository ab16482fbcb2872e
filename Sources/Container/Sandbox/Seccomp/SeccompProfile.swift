package import Linux

// What a sandbox may ask the kernel for, as a value. `SeccompProfile.compile` makes a filter of it.
//
// Which rule decides a call (as with libseccomp, so that profiles written for other runtimes mean the same):
// the first rule for it without conditions; when every rule for it has conditions, the first whose conditions
// all hold; else the profile's default action. To make an exception from an allowed call, allow it on
// the condition that it is not the exception (`maskedNotEqual`): a second rule beside an unconditional one is inert.
// (Alternatives with different conditions are where libseccomp 2.5 itself strays from its rules; here they hold.)

/// What the kernel does with a call, seccomp(2).
package enum SeccompAction: Hashable, Sendable {
    /// The call is made.
    case allow
    /// The call is made and written to the audit log.
    case log
    /// The call is not made and returns this error.
    case errno(Errno)
    /// The call is not made unless a tracer says so; the tracer is told this number.
    case trace(UInt16)
    /// The call is not made and the thread gets SIGSYS.
    case trap
    /// The thread ends as if by SIGSYS.
    case killThread
    /// The whole process ends as if by SIGSYS.
    case killProcess
    /// The call waits for whoever holds the filter's listener, and returns what that one says (seccomp_unotify(2)).
    case notify
}

/// A condition on one argument of a call. The kernel hands a filter all 64 bits of the register, also for
/// arguments that the call itself takes as 32 bits: compare those with a mask, or the upper half gets around the rule.
package struct ArgumentCondition: Hashable, Sendable {
    package enum Comparison: Hashable, Sendable {
        case equal(UInt64)
        case notEqual(UInt64)
        case less(UInt64)
        case lessOrEqual(UInt64)
        case greater(UInt64)
        case greaterOrEqual(UInt64)
        /// The argument's bits under the mask are this value.
        case maskedEqual(mask: UInt64, UInt64)
        /// The argument's bits under the mask are not this value. OCI profiles have no word for it.
        case maskedNotEqual(mask: UInt64, UInt64)
    }

    /// Which argument, 0 to 5.
    package var index: Int
    package var comparison: Comparison

    package init(_ index: Int, _ comparison: Comparison) {
        self.index = index
        self.comparison = comparison
    }

    /// Argument `index`, an `int` for the kernel, is this value.
    package static func int(_ index: Int, is value: UInt32) -> ArgumentCondition {
        ArgumentCondition(index, .maskedEqual(mask: 0xFFFF_FFFF, UInt64(value)))
    }

    /// Argument `index`, an `int` for the kernel, is anything but this value.
    package static func int(_ index: Int, isNot value: UInt32) -> ArgumentCondition {
        ArgumentCondition(index, .maskedNotEqual(mask: 0xFFFF_FFFF, UInt64(value)))
    }
}

/// An action for some calls; with conditions, only where all of them hold. Several rules for one call are alternatives.
package struct SeccompRule: Hashable, Sendable {
    /// Names as in syscalls(2).
    package var calls: [String]
    package var action: SeccompAction
    package var conditions: [ArgumentCondition]

    package init(_ calls: [String], _ action: SeccompAction, when conditions: [ArgumentCondition] = []) {
        self.calls = calls
        self.action = action
        self.conditions = conditions
    }
}

/// Which system calls a sandbox may make.
package struct SeccompProfile: Hashable, Sendable {
    /// For calls that no rule decides.
    package var defaultAction: SeccompAction
    /// For numbers without a name in `SystemCalls`: calls of kernels newer than this library. nil: the default action.
    ///
    /// A C library tries a new call and falls back to older ones when it hears ENOSYS; EPERM it would report.
    package var unnamedAction: SeccompAction?
    /// For x32 calls, which are x86-64 calls with bit 30 of the number set. nil: the default action.
    ///
    /// A filter that forgets them lets through `read | 0x40000000` where it means to deny `read`.
    package var x32Action: SeccompAction?
    /// For calls by another ABI than those that the filter is compiled for, such as a 32-bit program's: their numbers
    /// mean other calls, so none of the rules can be applied to them.
    package var foreignAction = SeccompAction.killProcess
    package var rules: [SeccompRule]

    package init(
        defaultAction: SeccompAction, unnamedAction: SeccompAction? = nil, rules: [SeccompRule] = []
    ) {
        self.defaultAction = defaultAction
        self.unnamedAction = unnamedAction
        self.rules = rules
    }
}

extension SeccompAction {
    /// What the filter returns for it (SECCOMP_RET_* of linux/seccomp.h).
    package var returnValue: UInt32 {
        switch self {
        case .killProcess: 0x8000_0000
        case .killThread: 0x0000_0000
        case .trap: 0x0003_0000
        case .errno(let code): 0x0005_0000 | UInt32(UInt16(truncatingIfNeeded: code.rawValue))
        case .notify: 0x7FC0_0000
        case .trace(let message): 0x7FF0_0000 | UInt32(message)
        case .log: 0x7FFC_0000
        case .allow: 0x7FFF_0000
        }
    }
}
