package import Linux

/// How a program is run.
package enum WorkloadRung: String, Hashable, Sendable, CaseIterable {
    case process, container, service, function
}

/// How something is, in a colour and never in a colour alone.
package enum Tone: String, Hashable, Sendable { case good, busy, idle, warning, bad }

/// What a workload is found by.
package struct WorkloadKey: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case container, function, pool, shift, pod, deployment, statefulset, daemonset, service, job
    }

    package var kind: Kind
    /// The id, or namespace/name of what has one.
    package var id: String

    package init(_ kind: Kind, _ id: String) {
        self.kind = kind
        self.id = id
    }
}

/// What was measured of calls, over the last minute.
package struct CallFigures: Hashable, Sendable {
    package var callsPerSecond: Double?
    package var p50Seconds: Double?
    package var p99Seconds: Double?
    /// Of 1.
    package var errorShare: Double?

    package init(
        callsPerSecond: Double? = nil, p50Seconds: Double? = nil, p99Seconds: Double? = nil, errorShare: Double? = nil
    ) {
        self.callsPerSecond = callsPerSecond
        self.p50Seconds = p50Seconds
        self.p99Seconds = p99Seconds
        self.errorShare = errorShare
    }
}

/// Something that runs, or is there to run, on one of the rungs.
package struct Workload: Hashable, Sendable {
    package var key: WorkloadKey
    package var name: String
    package var rung: WorkloadRung
    package var tone: Tone
    /// "running", "exited (1)", "2 of 3 ready", "canary 10 %".
    package var state: String
    /// Program, image or runtime.
    package var what: String
    package var figures = CallFigures()
    package var cpus: Double?
    package var memoryBytes: Int?
    package var since: Timestamp?

    package init(
        _ key: WorkloadKey, name: String, rung: WorkloadRung, tone: Tone, state: String, what: String = "", since: Timestamp? = nil
    ) {
        self.key = key
        self.name = name
        self.rung = rung
        self.tone = tone
        self.state = state
        self.what = what
        self.since = since
    }
}

/// A name with what there is to say.
package struct Fact: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A measurement over a time, evenly spaced, the oldest first; nil where nothing was measured.
package struct Course: Hashable, Sendable {
    package enum Unit: Hashable, Sendable { case perSecond, seconds, bytes, cpus, count }

    package var title: String
    package var unit: Unit
    package var values: [Double?]
    /// "last hour", "last day".
    package var span: String

    package init(_ title: String, _ unit: Unit, _ values: [Double?], span: String) {
        self.title = title
        self.unit = unit
        self.values = values
        self.span = span
    }
}

/// All there is to say of one workload.
package struct WorkloadDetails: Hashable, Sendable {
    package var workload: Workload
    package var facts: [Fact]
    package var courses: [Course] = []
    package var actions: [DashboardAction] = []
    /// The last lines that it wrote.
    package var log: [String] = []
    package var problem: String?

    package init(_ workload: Workload, facts: [Fact]) {
        self.workload = workload
        self.facts = facts
    }
}
