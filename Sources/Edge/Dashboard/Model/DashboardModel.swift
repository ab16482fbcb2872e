package import Linux

// What the pages show, as values: who fills them in knows the node, who draws them knows nothing but them.

/// The first page.
package struct Overview: Hashable, Sendable {
    package struct RungCount: Hashable, Sendable {
        package var rung: WorkloadRung
        package var running: Int
        package var all: Int

        package init(_ rung: WorkloadRung, running: Int, all: Int) {
            self.rung = rung
            self.running = running
            self.all = all
        }
    }

    package var version: String
    package var startedAt: Timestamp
    package var residentBytes: Int?
    package var rungs: [RungCount] = []
    package var figures = CallFigures()
    package var inFlight: Int?
    package var courses: [Course] = []
    package var pools: [PoolLine] = []
    package var shifts: [ShiftLine] = []
    package var workloads: [Workload] = []
    package var events: [EventLine] = []
    /// What a person should know: a keeper that is away, a ledger with a fault.
    package var remarks: [String] = []

    package init(version: String, startedAt: Timestamp) {
        self.version = version
        self.startedAt = startedAt
    }
}

/// A pool of a function's copies.
package struct PoolLine: Hashable, Sendable {
    package var function: String
    package var version: String
    package var starting = 0
    package var idle = 0
    package var busy = 0
    package var waiting = 0
    package var calls = 0
    /// Copies that were started, each a cold start for somebody or ahead of a call.
    package var launched = 0
    package var coldCalls: Int?
    package var failedStarts = 0
    package var problem: String?

    package init(function: String, version: String) {
        self.function = function
        self.version = version
    }
}

/// A function with what it costs.
package struct FunctionLine: Hashable, Sendable {
    package var name: String
    package var runtime: String
    package var memoryMB: Int
    package var changed: String?
    /// Versions and aliases that copies can be provisioned of.
    package var qualifiers: [String] = []
    package var provisioned = 0
    package var calls = 0
    package var errors = 0
    package var coldStarts = 0
    package var p50Seconds: Double?
    package var p99Seconds: Double?
    package var billedSeconds = 0.0
    /// "0.0123 USD"; nil when there is no price book.
    package var cost: String?

    package init(name: String, runtime: String, memoryMB: Int) {
        self.name = name
        self.runtime = runtime
        self.memoryMB = memoryMB
    }
}

/// The page of functions.
package struct FunctionsModel: Hashable, Sendable {
    package var functions: [FunctionLine]
    package var pools: [PoolLine]
    package var memoryMB: Int?
    package var usedMemoryMB: Int?
    /// "Since 2026-11-01 by the price book ...".
    package var costNote: String?

    package init(functions: [FunctionLine], pools: [PoolLine]) {
        self.functions = functions
        self.pools = pools
    }
}

/// A shift, in a line.
package struct ShiftLine: Hashable, Sendable {
    package var id: String
    package var program: String
    package var target: String
    package var stage: String
    /// Of a hundred calls, those that the target answers.
    package var percent: Int
    package var phase: String
    package var tone: Tone
    package var since: Timestamp
    package var calls = 0
    package var compared = 0
    package var differing = 0
    package var detours = 0
    package var originalP95Seconds: Double?
    package var targetP95Seconds: Double?
    package var originalFailures: Double?
    package var targetFailures: Double?
    package var firstDifference: String?
    package var canRollBack = false
    package var canPause = false
    package var canResume = false

    package init(
        id: String, program: String, target: String, stage: String, percent: Int, phase: String, tone: Tone, since: Timestamp
    ) {
        self.id = id
        self.program = program
        self.target = target
        self.stage = stage
        self.percent = percent
        self.phase = phase
        self.tone = tone
        self.since = since
    }
}

/// What happened to a shift.
package struct ShiftHistoryLine: Hashable, Sendable {
    package var at: Timestamp
    package var kind: String
    package var stage: String
    package var text: String

    package init(at: Timestamp, kind: String, stage: String, text: String) {
        self.at = at
        self.kind = kind
        self.stage = stage
        self.text = text
    }
}

package struct ShiftDetails: Hashable, Sendable {
    package var line: ShiftLine
    package var limits: String
    package var promotion: [String]
    /// The newest first.
    package var history: [ShiftHistoryLine]

    package init(_ line: ShiftLine, limits: String, promotion: [String], history: [ShiftHistoryLine]) {
        self.line = line
        self.limits = limits
        self.promotion = promotion
        self.history = history
    }
}

package struct ImageLine: Hashable, Sendable {
    package var id: String
    package var names: [String]
    package var bytes: Int
    package var created: String?

    package init(id: String, names: [String], bytes: Int, created: String?) {
        self.id = id
        self.names = names
        self.bytes = bytes
        self.created = created
    }
}

package struct DiskLine: Hashable, Sendable {
    package var name: String
    package var count: Int
    package var active: Int
    package var bytes: Int
    package var reclaimableBytes: Int

    package init(name: String, count: Int, active: Int, bytes: Int, reclaimableBytes: Int) {
        self.name = name
        self.count = count
        self.active = active
        self.bytes = bytes
        self.reclaimableBytes = reclaimableBytes
    }
}

package struct ImagesModel: Hashable, Sendable {
    package var images: [ImageLine]
    package var disk: [DiskLine]

    package init(images: [ImageLine], disk: [DiskLine]) {
        self.images = images
        self.disk = disk
    }
}

package struct EventLine: Hashable, Sendable {
    package var at: Timestamp
    /// "container", "pod"
    package var kind: String
    package var action: String
    package var subject: String
    package var text: String
    package var isWarning: Bool

    package init(at: Timestamp, kind: String, action: String, subject: String, text: String, isWarning: Bool = false) {
        self.at = at
        self.kind = kind
        self.action = action
        self.subject = subject
        self.text = text
        self.isWarning = isWarning
    }
}

/// A report of `forkless compare` that was saved.
package struct ReportLine: Hashable, Sendable {
    package var name: String
    package var title: String
    /// nil: it cannot be read.
    package var savedAt: Timestamp?
    package var bytes: Int
    /// What a person should know before trusting it.
    package var problem: String?

    package init(name: String, title: String, savedAt: Timestamp?, bytes: Int, problem: String? = nil) {
        self.problem = problem
        self.name = name
        self.title = title
        self.savedAt = savedAt
        self.bytes = bytes
    }
}
