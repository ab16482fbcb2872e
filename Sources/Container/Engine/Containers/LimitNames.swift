import Spawn

// The names that limits.conf(5) and Docker's --ulimit give to what setrlimit(2) limits.
extension ContainerLimit {
    private static let resources: [(name: String, resource: ResourceLimit.Resource)] = [
        ("core", .coreBytes), ("cpu", .cpuSeconds), ("data", .dataBytes), ("fsize", .fileBytes), ("locks", .locks),
        ("memlock", .lockedBytes), ("msgqueue", .messageQueueBytes), ("nice", .nice), ("nofile", .openFiles),
        ("nproc", .processes), ("rss", .residentBytes), ("rtprio", .realTimePriority), ("rttime", .realTimeMicroseconds),
        ("sigpending", .pendingSignals), ("stack", .stackBytes), ("as", .addressSpaceBytes),
    ]

    /// Every name there is.
    package static var names: [String] { resources.map(\.name) }

    /// What the name stands for; nil when there is no such limit.
    var resource: ResourceLimit.Resource? { Self.resources.first { $0.name == name }?.resource }
}
