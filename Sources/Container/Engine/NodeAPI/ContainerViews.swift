package import Linux
package import Networking
package import OCI

/// Which containers there are: `containers.list`.
package struct ListContainers: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ContainerList
    package static let operation = NodeOperation.listContainers

    /// Also those that do not run.
    package var all: Bool
    /// Only those with every one of these labels.
    package var labels: [String: String]
    /// As `docker ps --filter` has them.
    package var filters: [String]
    /// Only so many, the newest, whether they run or not; nil: no bound.
    package var limit: Int?
    /// Whether to say what each takes on the disk, which takes a while.
    package var sizes: Bool

    package init(
        all: Bool = false, labels: [String: String] = [:], filters: [String] = [], limit: Int? = nil, sizes: Bool = false
    ) {
        self.all = all
        self.labels = labels
        self.filters = filters
        self.limit = limit
        self.sizes = sizes
    }
}

package struct ContainerList: NodeValue {
    /// The newest first.
    package var containers: [ContainerSummary]

    package init(containers: [ContainerSummary]) { self.containers = containers }
}

/// Where a container is in its life.
package enum ContainerPhase: String, Hashable, Sendable, CaseIterable {
    case created, starting, running, paused, stopping, exited, removing
    /// It has ended, and its restart policy starts it again before long.
    case restarting
    /// The keeper died while it ran: it does not run any more, and how it ended is unknown.
    case lost

    /// Whether a program may be running.
    package var isActive: Bool {
        switch self {
        case .starting, .running, .paused, .stopping, .removing: true
        case .created, .exited, .lost, .restarting: false
        }
    }
}

/// One line of `ps`.
package struct ContainerSummary: NodeValue {
    package var id: String
    package var name: String
    package var program: String
    package var arguments: [String]
    package var phase: ContainerPhase
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    /// The pid on the machine; nil unless it runs.
    package var pid: Int32?
    package var end: ContainerEnd?
    package var rung: Rung
    package var labels: [String: String]
    /// nil: nobody asks.
    package var health: HealthStatus?
    /// Published, with the host ports that were chosen; empty unless it runs.
    package var ports: [PublishedPort] = []
    /// What its program says that it serves.
    package var exposedPorts: [ContainerPort] = []
    /// The networks that it is in, or joins when it is started.
    package var networks: [String] = []
    /// The image, or what else is its root: "host", a directory.
    package var image = ""
    /// What its own files take on the disk, where that was asked for.
    package var sizeBytes: Int?

    package init(
        id: String, name: String, program: String, arguments: [String], phase: ContainerPhase, createdAt: Timestamp,
        startedAt: Timestamp?, pid: Int32?, end: ContainerEnd?, rung: Rung, labels: [String: String]
    ) {
        self.id = id
        self.name = name
        self.program = program
        self.arguments = arguments
        self.phase = phase
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.pid = pid
        self.end = end
        self.rung = rung
        self.labels = labels
    }
}

/// Everything about one container: `containers.inspect`.
package struct InspectContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ContainerDetails
    package static let operation = NodeOperation.inspectContainer

    package var container: String

    package init(container: String) { self.container = container }
}

package struct ContainerDetails: NodeValue {
    package var summary: ContainerSummary
    package var spec: ContainerSpec
    /// What `forkless inspect` says of the last start.
    package var startMicroseconds: Int?
    package var wasPrepared: Bool?
    /// Why the last start failed.
    package var startError: String?
    /// How many times it was started.
    package var starts: Int
    /// Its record, log and whatever else is kept.
    package var directory: String
    /// Whether there is a log: none where the output went to the caller's own descriptors.
    package var isLogged: Bool
    /// How often its restart policy has started it again since its user did.
    package var restarts = 0
    /// How well it is, and what the last checks said.
    package var health: HealthReport?
    /// Where it is in networks of the node; empty unless it runs.
    package var places: [ContainerPlace]

    package init(
        summary: ContainerSummary, spec: ContainerSpec, startMicroseconds: Int?, wasPrepared: Bool?,
        startError: String?, starts: Int, directory: String, isLogged: Bool, places: [ContainerPlace] = []
    ) {
        self.summary = summary
        self.spec = spec
        self.startMicroseconds = startMicroseconds
        self.wasPrepared = wasPrepared
        self.startError = startError
        self.starts = starts
        self.directory = directory
        self.isLogged = isLogged
        self.places = places
    }
}

/// Where a container is in one network.
package struct ContainerPlace: NodeValue {
    package var network: String
    package var networkID: String
    /// Inside: "eth0".
    package var interface: String
    package var ipv4: IPAddress
    package var ipv6: IPAddress?
    package var hardwareAddress: String
    package var aliases: [String]

    package init(
        network: String, networkID: String, interface: String, ipv4: IPAddress, ipv6: IPAddress?, hardwareAddress: String,
        aliases: [String]
    ) {
        self.network = network
        self.networkID = networkID
        self.interface = interface
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.hardwareAddress = hardwareAddress
        self.aliases = aliases
    }
}

/// Reads a container's log: `containers.logs`. Lines come as items; with `follow` until the program has ended.
package struct ReadLogs: NodeRequest {
    package typealias Item = LogLines
    package typealias Answer = NoValue
    package static let operation = NodeOperation.readLogs

    package var container: String
    package var follow: Bool
    /// Only so many of the last lines; nil: all.
    package var tail: Int?
    /// Only lines written at or after this time.
    package var since: Timestamp?

    package init(container: String, follow: Bool = false, tail: Int? = nil, since: Timestamp? = nil) {
        self.container = container
        self.follow = follow
        self.tail = tail
        self.since = since
    }
}

/// Some lines of a log, at most 64 KiB of them.
package struct LogLines: NodeValue {
    package var lines: [LogLine]

    package init(lines: [LogLine]) { self.lines = lines }
}

/// A line that a program wrote, or as much of it as is there.
package struct LogLine: NodeValue {
    package enum Stream: String, Hashable, Sendable, CaseIterable { case stdout, stderr }

    package var time: Timestamp
    package var stream: Stream
    /// Without the newline. Need not be UTF-8: in JSON it is "text", or "base64" where it is not.
    package var content: [UInt8]
    /// Whether the program ended the line. A part without an end is followed by its rest, or was the last output.
    package var isComplete: Bool

    package init(time: Timestamp, stream: Stream, content: [UInt8], isComplete: Bool) {
        self.time = time
        self.stream = stream
        self.content = content
        self.isComplete = isComplete
    }
}

/// What containers use: `containers.stats`. One item a round; with `follow` until the caller takes it back.
package struct ReadStatistics: NodeRequest {
    package typealias Item = StatisticsRound
    package typealias Answer = NoValue
    package static let operation = NodeOperation.readStatistics

    /// Empty: every one that runs.
    package var containers: [String]
    package var follow: Bool
    package var intervalMilliseconds: Int

    package init(containers: [String] = [], follow: Bool = false, intervalMilliseconds: Int = 1000) {
        self.containers = containers
        self.follow = follow
        self.intervalMilliseconds = intervalMilliseconds
    }
}

package struct StatisticsRound: NodeValue {
    package var containers: [ContainerStatistics]

    package init(containers: [ContainerStatistics]) { self.containers = containers }
}

package struct ContainerStatistics: NodeValue {
    package var id: String
    package var name: String
    /// CPU time used between two samples, over the time between them: 2.0 is two whole CPUs. nil: not counted here.
    package var cpus: Double?
    package var cpuMicroseconds: Int?
    package var memoryBytes: Int?
    package var memoryLimitBytes: Int?
    package var peakMemoryBytes: Int?
    package var pids: Int?
    package var pidsLimit: Int?

    package init(
        id: String, name: String, cpus: Double?, cpuMicroseconds: Int?, memoryBytes: Int?, memoryLimitBytes: Int?,
        peakMemoryBytes: Int?, pids: Int?, pidsLimit: Int?
    ) {
        self.id = id
        self.name = name
        self.cpus = cpus
        self.cpuMicroseconds = cpuMicroseconds
        self.memoryBytes = memoryBytes
        self.memoryLimitBytes = memoryLimitBytes
        self.peakMemoryBytes = peakMemoryBytes
        self.pids = pids
        self.pidsLimit = pidsLimit
    }
}
