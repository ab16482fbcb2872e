import Linux
package import OCI
package import Sandbox

/// The filter of a container, from `linux.seccomp` (config-linux.md, "Seccomp").
///
/// Invariants (each with a test in ContainerFilterTests):
/// 1. It decides as the one that libseccomp makes of the same profile for other runtimes, for every number of every ABI
///    that this machine runs. (`a profile decides as the filter that libseccomp makes of it`)
/// 2. Calls of kernels newer than this library are answered with ENOSYS where the profile denies by default, so that C
///    libraries fall back to older ones, as with other runtimes.
package struct ContainerFilter: Hashable, Sendable {
    /// struct sock_filter instructions.
    package let program: [UInt8]
    /// SECCOMP_FILTER_FLAG_*, with NEW_LISTENER where the profile notifies.
    package let flags: UInt32
    /// Whether loading returns a listener, to be sent to `listenerPath`.
    package let hasListener: Bool
    /// Names that no ABI here has a call for: the rules are without them.
    package let skippedNames: [String]

    package init(_ spec: SeccompSpec) throws(SeccompError) {
        let filter = try SeccompProfile(spec).compile(for: Self.abis(of: spec), flags: Self.flags(of: spec))
        program = filter.bytes
        flags = filter.flags.rawValue
        hasListener = spec.usesNotify
        skippedNames = filter.skippedNames
    }

    /// The native ABI, which is always meant, and those named that this machine's kernel can run. Calls by any other
    /// named one cannot be made here, so that leaving it out changes nothing.
    package static func abis(of spec: SeccompSpec) -> [SystemCallABI] {
        [.native] + SystemCallABI.compatible.filter { spec.architectures.contains($0.name) }
    }

    /// Those that `features` lists: what `abis` can be of.
    package static var architectures: [SeccompSpec.Architecture] {
        ([.native] + SystemCallABI.compatible).map(\.name)
    }

    /// The flags that this machine's kernel takes, for `features`. The one about listeners is asked for with one.
    package static var supportedFlags: [SeccompSpec.Flag] {
        SeccompSpec.Flag.allCases.filter { flag in
            switch flag {
            case .synchronizeThreads: kernelTakesSeccompFlags(SeccompFlags.synchronizeThreads.rawValue)
            case .log: kernelTakesSeccompFlags(SeccompFlags.log.rawValue)
            case .allowSpeculation: kernelTakesSeccompFlags(SeccompFlags.allowSpeculation.rawValue)
            case .waitKillable:
                kernelTakesSeccompFlags(SeccompFlags([.waitKillable, .newListener]).rawValue)
            }
        }
    }

    static func flags(of spec: SeccompSpec) -> SeccompFlags {
        var flags: SeccompFlags = []
        for flag in spec.flags {
            switch flag {
            case .synchronizeThreads: flags.insert(.synchronizeThreads)
            case .log: flags.insert(.log)
            case .allowSpeculation: flags.insert(.allowSpeculation)
            // It is about listeners, and the kernel refuses it without one.
            case .waitKillable: if spec.usesNotify { flags.insert(.waitKillable) }
            }
        }
        // As with other runtimes: no flags are not no wishes.
        if spec.flags.isEmpty { flags.insert(.allowSpeculation) }
        if spec.usesNotify {
            flags.insert(.newListener)
            if flags.contains(.synchronizeThreads) { flags.insert(.synchronizeOrFail) }
        }
        return flags
    }
}

extension SystemCallABI {
    /// libseccomp's name.
    package var name: SeccompSpec.Architecture {
        switch self {
        case .x86_64: .x86_64
        case .arm64: .aarch64
        case .i386: .x86
        case .x32: .x32
        }
    }
}
