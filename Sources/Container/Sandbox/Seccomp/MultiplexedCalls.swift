/// Calls of 32-bit programs on x86 that are made through another one, whose first argument says which is meant
/// (socketcall(2), ipc(2)). A rule for "socket" is for both ways; as with libseccomp, conditions on the first argument
/// are given up for that one, and the others are compared with what stands there.
enum MultiplexedCalls {
    /// A way to make a call through another.
    struct Inner: Hashable {
        /// The number of socketcall or ipc.
        var call: UInt32
        var first: UInt64
    }

    static let byName: [String: Inner] = {
        var all: [String: Inner] = [:]
        for (at, name) in socketCalls.enumerated() { all[name] = Inner(call: 102, first: UInt64(at + 1)) }
        for (name, first) in processCalls { all[name] = Inner(call: 117, first: first) }
        return all
    }()

    /// In the order of their numbers (linux/net.h), from 1.
    private static let socketCalls = [
        "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "send", "recv",
        "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg",
        "sendmmsg",
    ]

    /// linux/ipc.h.
    private static let processCalls: [(String, UInt64)] = [
        ("semop", 1), ("semget", 2), ("semctl", 3), ("semtimedop", 4), ("msgsnd", 11), ("msgrcv", 12), ("msgget", 13),
        ("msgctl", 14), ("shmat", 21), ("shmdt", 22), ("shmget", 23), ("shmctl", 24),
    ]
}

extension SeccompRule {
    /// The rule where the call is made through another.
    func within(_ inner: MultiplexedCalls.Inner) -> SeccompRule {
        var rule = self
        rule.conditions = [ArgumentCondition(0, .equal(inner.first))] + conditions.filter { $0.index != 0 }
        return rule
    }

    /// The rule for an ABI whose arguments have 32 bits.
    var ofLowerHalves: SeccompRule {
        var rule = self
        rule.conditions = conditions.map { condition in
            func low(_ value: UInt64) -> UInt64 { value & 0xFFFF_FFFF }
            let comparison: ArgumentCondition.Comparison =
                switch condition.comparison {
                case .equal(let value): .maskedEqual(mask: 0xFFFF_FFFF, low(value))
                case .notEqual(let value): .maskedNotEqual(mask: 0xFFFF_FFFF, low(value))
                case .less(let value): .less(low(value))
                case .lessOrEqual(let value): .lessOrEqual(low(value))
                case .greater(let value): .greater(low(value))
                case .greaterOrEqual(let value): .greaterOrEqual(low(value))
                case .maskedEqual(let mask, let value): .maskedEqual(mask: low(mask), low(value))
                case .maskedNotEqual(let mask, let value): .maskedNotEqual(mask: low(mask), low(value))
                }
            return ArgumentCondition(condition.index, comparison)
        }
        return rule
    }
}
