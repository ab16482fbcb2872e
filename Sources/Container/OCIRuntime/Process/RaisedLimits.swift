import Linux
import OCI

/// Hard limits of a child in a user namespace that are above those in force.
///
/// The child sets its limits itself, and inside such a namespace raising a hard one is EPERM even for the machine's root
/// (setrlimit(2): CAP_SYS_RESOURCE counts in the first user namespace alone). So the parent makes room for it while
/// it waits. Soft ones are left to the child: what it still has to open must not be bound by them.
///
/// Invariant: the parent only ever raises. (test: `room is made for limits above those in force and for no others`)
enum RaisedLimits {
    static func raise(_ limits: [ProcessLimit], of pid: Int32) throws(SystemError) {
        for limit in limits {
            let resource = Int32(limit.kind.number)
            // The child has inherited ours.
            guard let room = room(for: limit, inForce: try ThisProcess.limit(resource)) else { continue }
            try OtherProcess.setLimit(resource, soft: room.soft, hard: room.hard, of: pid)
        }
    }

    /// What the parent sets; nil where the child may do it alone. Pure.
    static func room(
        for limit: ProcessLimit, inForce: (soft: UInt64, hard: UInt64)
    ) -> (soft: UInt64, hard: UInt64)? {
        limit.hard > inForce.hard ? (soft: inForce.soft, hard: limit.hard) : nil
    }
}
