/// One instruction of a classic BPF program, as the kernel takes it (struct sock_filter of linux/filter.h).
package struct BPFInstruction: Hashable, Sendable {
    package var code: UInt16
    /// How many instructions to skip when the comparison holds.
    package var jumpTrue: UInt8
    /// How many instructions to skip when it does not.
    package var jumpFalse: UInt8
    package var operand: UInt32

    package init(_ code: UInt16, _ operand: UInt32, jumpTrue: UInt8 = 0, jumpFalse: UInt8 = 0) {
        self.code = code
        self.operand = operand
        self.jumpTrue = jumpTrue
        self.jumpFalse = jumpFalse
    }

    // The part of linux/bpf_common.h that filters here consist of. The kernel runs a new filter once for every
    // system call number to learn which ones it always allows (seccomp_is_const_allow in kernel/seccomp.c), and calls
    // so found bypass the filter from then on; it gives up at any instruction that is not one of these.
    package static let load: UInt16 = 0x20
    package static let and: UInt16 = 0x54
    package static let jump: UInt16 = 0x05
    package static let jumpIfEqual: UInt16 = 0x15
    package static let jumpIfGreater: UInt16 = 0x25
    package static let jumpIfGreaterOrEqual: UInt16 = 0x35
    package static let jumpIfAnyBit: UInt16 = 0x45
    package static let verdict: UInt16 = 0x06
}

/// How the kernel loads a filter, seccomp(2).
package struct SeccompFlags: OptionSet, Hashable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// All threads of the process get the filter, or none (SECCOMP_FILTER_FLAG_TSYNC).
    package static let synchronizeThreads = SeccompFlags(rawValue: 1 << 0)
    /// Every action but `allow` is logged where the machine's settings permit it (SECCOMP_FILTER_FLAG_LOG).
    package static let log = SeccompFlags(rawValue: 1 << 1)
    /// A filter does not also switch on the costly speculation barriers that kernels before 5.16 imply with one
    /// (SECCOMP_FILTER_FLAG_SPEC_ALLOW); newer kernels no longer do.
    package static let allowSpeculation = SeccompFlags(rawValue: 1 << 2)
    /// Loading returns the listener of `notify` (SECCOMP_FILTER_FLAG_NEW_LISTENER).
    package static let newListener = SeccompFlags(rawValue: 1 << 3)
    /// A thread that cannot get the filter is told by ESRCH and not by its number, which a listener leaves no room for
    /// (SECCOMP_FILTER_FLAG_TSYNC_ESRCH).
    package static let synchronizeOrFail = SeccompFlags(rawValue: 1 << 4)
    /// Once its listener has read of a call, only a signal that kills interrupts it; needs `newListener`, Linux 5.19
    /// (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV).
    package static let waitKillable = SeccompFlags(rawValue: 1 << 5)
}

/// A compiled profile, ready to be loaded any number of times.
package struct SeccompFilter: Hashable, Sendable {
    /// The kernel takes no longer program (BPF_MAXINSNS).
    package static let instructionLimit = 4096

    package let instructions: [BPFInstruction]
    package let flags: SeccompFlags
    /// Names in the profile's rules that the ABI has no call for; the rules were compiled without them.
    package let skippedNames: [String]
    /// Among how many ranges of numbers the filter searches: its search takes the logarithm of that many comparisons.
    package let rangeCount: Int

    /// The number of instructions, as struct sock_fprog wants it.
    package var count: Int { instructions.count }

    /// The instructions as an array of struct sock_filter, in this machine's byte order.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(instructions.count * 8)
        for instruction in instructions {
            withUnsafeBytes(of: instruction.code) { bytes += $0 }
            bytes.append(instruction.jumpTrue)
            bytes.append(instruction.jumpFalse)
            withUnsafeBytes(of: instruction.operand) { bytes += $0 }
        }
        return bytes
    }
}

/// Why a profile has no filter.
package enum SeccompError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownCalls([String])
    case noSuchArgument(call: String, index: Int)
    case errnoOutOfRange(Int32)
    case filterTooLong(instructions: Int)

    package var description: String {
        switch self {
        case .unknownCalls(let names):
            let calls = names.count == 1 ? "is no system call" : "are no system calls"
            return """
                compile the seccomp profile: \(names.joined(separator: ", ")) \(calls) of Linux 6.18 on this \
                architecture. Correct the spelling, or let unknown names be skipped
                """
        case .noSuchArgument(let call, let index):
            return """
                compile the seccomp profile: a condition on argument \(index) of \(call). \
                Arguments are numbered 0 to 5
                """
        case .errnoOutOfRange(let number):
            return "compile the seccomp profile: errno \(number). The kernel passes on 0 to 4095"
        case .filterTooLong(let count):
            return """
                compile the seccomp profile: the filter has \(count) instructions and the kernel takes \
                \(SeccompFilter.instructionLimit). Use fewer conditions on arguments
                """
        }
    }
}
