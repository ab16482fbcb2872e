package import Linux
package import Spawn

/// What the node knows of a call the moment it arrives: what the shim sent, and who the kernel says it is.
///
/// Everything else about the caller (`CallTraits`, descriptors, directory) is read from the waiting shim only when
/// somebody wants it: a measured call needs none of it.
package struct CallHead: Sendable {
    /// The shift whose shim was executed.
    package var shift: String
    /// argv, byte for byte, argv[0] first. The kernel sees to it that there is at least one (5.18).
    package var arguments: StringBlock
    /// The environment, byte for byte and in its order; entries need not contain "=".
    package var environment: StringBlock
    /// The caller's child: the process that was to be the program.
    package var pid: Int32
    /// Effective ids, SO_PEERCRED.
    package var uid: UInt32
    package var gid: UInt32
    /// The time of day, for records, and the monotonic clock in nanoseconds, for durations.
    package var arrivedAt: Timestamp
    package var arrivedNanoseconds: Int
    /// The number of the shim's own socket among its descriptors, which is nobody's business.
    package var socketNumber: Int32
    /// The signals that the program is born with as blocked; bit n-1 stands for signal n.
    package var signalMask: UInt64

    package init(
        shift: String, arguments: StringBlock, environment: StringBlock, pid: Int32, uid: UInt32, gid: UInt32,
        arrivedAt: Timestamp, arrivedNanoseconds: Int, socketNumber: Int32 = -1, signalMask: UInt64 = 0
    ) {
        self.shift = shift
        self.arguments = arguments
        self.environment = environment
        self.pid = pid
        self.uid = uid
        self.gid = gid
        self.arrivedAt = arrivedAt
        self.arrivedNanoseconds = arrivedNanoseconds
        self.socketNumber = socketNumber
        self.signalMask = signalMask
    }
}
