import Comparison
import Engine

/// `stats`: what containers use, as rows. A dash stands where this machine does not count.
struct StatisticsListing {
    var containers: [ContainerStatistics]

    var listing: Listing {
        Listing(
            columns: [
                .init("ID"), .init("NAME"), .init("CPU", .right), .init("CPU TIME", .right), .init("MEMORY", .right),
                .init("LIMIT", .right), .init("PEAK", .right), .init("PIDS", .right),
            ],
            rows: containers.map { container in
                [
                    String(container.id.prefix(ContainerListing.shortIDLength)), container.name,
                    container.cpus.map { FloatingText.fixed($0 * 100, decimals: 1) + "%" } ?? Self.notCounted,
                    container.cpuMicroseconds.map { FloatingText.duration(nanoseconds: $0 * 1000) } ?? Self.notCounted,
                    Self.bytes(container.memoryBytes), Self.bytes(container.memoryLimitBytes),
                    Self.bytes(container.peakMemoryBytes), Self.pids(container),
                ]
            })
    }

    private static let notCounted = "–"

    private static func bytes(_ count: Int?) -> String { count.map { FloatingText.bytes($0) } ?? notCounted }

    private static func pids(_ container: ContainerStatistics) -> String {
        guard let pids = container.pids else { return notCounted }
        return container.pidsLimit.map { "\(pids)/\($0)" } ?? "\(pids)"
    }
}
