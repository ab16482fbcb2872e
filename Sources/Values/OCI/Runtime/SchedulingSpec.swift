import JSON

/// How the process is scheduled, sched_setattr(2).
package struct SchedulerSpec: Hashable, Sendable {
    package enum Policy: String, NamedBySpecification {
        case other = "SCHED_OTHER"
        case fifo = "SCHED_FIFO"
        case roundRobin = "SCHED_RR"
        case batch = "SCHED_BATCH"
        /// Reserved, and in no kernel.
        case iso = "SCHED_ISO"
        case idle = "SCHED_IDLE"
        case deadline = "SCHED_DEADLINE"

        /// The kernel's number (uapi linux/sched.h).
        package var number: UInt32 {
            switch self {
            case .other: 0
            case .fifo: 1
            case .roundRobin: 2
            case .batch: 3
            case .iso: 4
            case .idle: 5
            case .deadline: 6
            }
        }
    }

    package enum Flag: String, NamedBySpecification {
        case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
        case reclaim = "SCHED_FLAG_RECLAIM"
        case deadlineOverrun = "SCHED_FLAG_DL_OVERRUN"
        case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
        case keepParameters = "SCHED_FLAG_KEEP_PARAMS"
        case clampMinimum = "SCHED_FLAG_UTIL_CLAMP_MIN"
        case clampMaximum = "SCHED_FLAG_UTIL_CLAMP_MAX"

        /// The kernel's bit (uapi linux/sched.h).
        package var bit: UInt64 { 1 << UInt64(Self.allCases.firstIndex(of: self)!) }
    }

    package var policy: Policy
    /// -20 to 19, for the policies that are not of real time.
    package var nice: Int32
    /// 1 to 99 for the policies of real time, else 0.
    package var priority: Int32
    package var flags: [Flag]
    /// Nanoseconds, for the deadline policy.
    package var runtime: UInt64
    package var deadline: UInt64
    package var period: UInt64

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        policy = try reader.requiredName("policy")
        nice = try reader.optional("nice") ?? 0
        guard (-20...19).contains(nice) else { throw reader.error("nice", "expected -20 to 19, found \(nice)") }
        priority = try reader.optional("priority") ?? 0
        guard (0...99).contains(priority) else { throw reader.error("priority", "expected 0 to 99, found \(priority)") }
        flags = try reader.names("flags")
        runtime = try reader.unsigned("runtime") ?? 0
        deadline = try reader.unsigned("deadline") ?? 0
        period = try reader.unsigned("period") ?? 0
    }
}

/// The priority of the process's input and output, ioprio_set(2).
package struct IOPrioritySpec: Hashable, Sendable {
    package enum Class: String, NamedBySpecification {
        case realtime = "IOPRIO_CLASS_RT"
        case bestEffort = "IOPRIO_CLASS_BE"
        case idle = "IOPRIO_CLASS_IDLE"

        /// The kernel's number (uapi linux/ioprio.h).
        package var number: Int { Self.allCases.firstIndex(of: self)! + 1 }
    }

    package var `class`: Class
    /// 0, the highest, to 7.
    package var priority: Int

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        `class` = try reader.requiredName("class")
        priority = try reader.required("priority")
        guard (0...7).contains(priority) else { throw reader.error("priority", "expected 0 to 7, found \(priority)") }
    }
}

/// The processors of a process that joins a container: lists as cpuset(7) writes them, "0-3,7".
package struct AffinitySpec: Hashable, Sendable {
    /// Before it is in the container's cgroup.
    package var initial: String?
    /// From then on.
    package var final: String?

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        initial = try reader.indexList("initial")
        final = try reader.indexList("final")
    }
}

extension JSONObjectReader {
    /// A list of processors or memory nodes: digits, "-" and ",". Whether its ranges are sound, its user finds out.
    mutating func indexList(_ key: String) throws(JSONShapeError) -> String? {
        guard let text = try text(key, limit: 4096) else { return nil }
        let isList = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ",")
        }
        guard isList else { throw error(key, "expected a list such as \"0-3,7\", found \"\(text)\"") }
        return text
    }
}
