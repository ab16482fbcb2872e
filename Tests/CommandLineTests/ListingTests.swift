import Engine
import Linux
import Testing

@testable import CommandLine

@Suite struct ListingTests {
    private let now = Timestamp(nanoseconds: 1_800_000_000_000_000_000)

    private func container(_ change: (inout ContainerSummary) -> Void = { _ in }) -> ContainerSummary {
        var container = ContainerSummary(
            id: "0123456789abcdef", name: "quiet_cat", program: "/bin/sh", arguments: ["-c", "sleep 1; echo it's"],
            phase: .running, createdAt: ago(7200), startedAt: ago(90), pid: 42, end: nil, rung: .container, labels: [:])
        container.image = "app:1"
        change(&container)
        return container
    }

    private func ago(_ seconds: Int) -> Timestamp { Timestamp(nanoseconds: now.nanoseconds - seconds * 1_000_000_000) }

    @Test func `a container is one row, its id and command cut to their beginnings`() {
        let rows = ContainerListing(containers: [container()], now: now).listing.rows
        #expect(
            rows == [
                [
                    "0123456789ab", "app:1", "/bin/sh -c 'sleep 1; echo it'\\''s'", "2 hours ago", "Up About a minute",
                    "", "quiet_cat",
                ]
            ])
        let long = container { $0.arguments = [String(repeating: "x", count: 100)] }
        #expect(ContainerListing(containers: [long], now: now).listing.rows[0][2].count == 40)
        #expect(ContainerListing(containers: [long], now: now, isWhole: true).listing.rows[0][2].count == 108)
        #expect(ContainerListing(containers: [long], now: now, isWhole: true).listing.rows[0][0] == "0123456789abcdef")
    }

    @Test func `the status tells how the program ended`() {
        func status(_ phase: ContainerPhase, _ end: ContainerEnd?) -> String {
            ContainerListing.status(
                container {
                    $0.phase = phase
                    $0.end = end
                }, now)
        }
        #expect(status(.created, nil) == "Created")
        #expect(status(.exited, ContainerEnd(exitStatus: 3, endedAt: ago(5))) == "Exited (3) 5 seconds ago")
        #expect(
            status(.exited, ContainerEnd(exitStatus: 137, signal: 9, endedAt: ago(0), outOfMemory: true))
                == "Exited (137, out of memory) Less than a second ago")
        #expect(
            status(.lost, ContainerEnd(exitStatus: nil, endedAt: ago(60), keeperLost: true)) == "Lost About a minute ago")
        #expect(status(.stopping, nil) == "Up About a minute (stopping)")
        #expect(status(.paused, nil) == "Up About a minute (Paused)")
        #expect(
            status(.restarting, ContainerEnd(exitStatus: 3, endedAt: ago(5))) == "Restarting (3) 5 seconds ago")
        for (health, words) in [(HealthStatus.starting, "health: starting"), (.healthy, "healthy"), (.unhealthy, "unhealthy")] {
            #expect(ContainerListing.status(container { $0.health = health }, now) == "Up About a minute (\(words))")
        }
    }

    @Test func `a clock that was set back shows no negative time`() {
        #expect(ContainerListing.status(container { $0.startedAt = ago(-50) }, now) == "Up Less than a second")
    }

    @Test(arguments: [120, 80, 60, 40, 24])
    func `a listing is never wider than the terminal unless a word is`(width: Int) {
        let text = ContainerListing(containers: [container(), container { $0.name = "b" }], now: now).listing.text(width: width)
        let longestWord = text.split(whereSeparator: \.isWhitespace).map(\.count).max() ?? 0
        for line in text.split(separator: "\n") where width >= 60 { #expect(line.count <= max(width, longestWord)) }
        #expect(text.contains("quiet_cat"))
    }

    @Test func `an empty listing shows what would be there`() {
        #expect(ContainerListing(containers: [], now: now).listing.text(width: 100).hasPrefix("CONTAINER ID  IMAGE  COMMAND"))
    }

    @Test func `statistics show a dash where the machine does not count`() {
        let counted = ContainerStatistics(
            id: "0123456789abcdef", name: "a", cpus: 1.234, cpuMicroseconds: 1_500_000, memoryBytes: 3 << 20,
            memoryLimitBytes: 512 << 20, peakMemoryBytes: 4 << 20, pids: 3, pidsLimit: 64)
        let uncounted = ContainerStatistics(
            id: "x", name: "b", cpus: nil, cpuMicroseconds: nil, memoryBytes: nil, memoryLimitBytes: nil,
            peakMemoryBytes: nil, pids: nil, pidsLimit: nil)
        let rows = StatisticsListing(containers: [counted, uncounted]).listing.rows
        #expect(rows[0] == ["0123456789ab", "a", "123.4%", "1.5 s", "3.0 MiB", "512 MiB", "4.0 MiB", "3/64"])
        #expect(rows[1] == ["x", "b", "–", "–", "–", "–", "–", "–"])
    }

    @Test(arguments: [("a", "a"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("/x-1.y_z=2", "/x-1.y_z=2"), ("$x", "'$x'")])
    func `words are quoted as a shell needs it`(word: String, quoted: String) { #expect(ShellWord.quoted(word) == quoted) }
}
