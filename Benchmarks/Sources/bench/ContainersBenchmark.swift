import CBaselines
import Foundation

/// Containers of a local image as a user starts them: command line to exit beside Docker, starts a second, and the same
/// again with a thousand that run.
struct ContainersBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        let servers = try ServersUnderTest(options)
        defer { servers.stop() }
        let image = try SmallImage(at: "\(servers.directory)/image.tar", options)
        _ = try Command.output(servers.forkless("load", "-q", "-i", image.path))
        _ = try Command.output(servers.docker("load", "-q", "-i", image.path))
        let name = SmallImage.name
        let bridged = Self.timed(servers.forkless("run", "--rm", name))
        var contenders = [
            Contender(name: "forkless run --rm --network none", count: 20) {
                try Self.timed(servers.forkless("run", "--rm", "--network", "none", name))($0)
            },
            Contender(name: "forkless run --rm, on its bridge", count: 20) { try bridged($0) },
        ]
        contenders.append(
            Contender(name: "docker run --rm --network none", count: options.count(3, quick: 1)) {
                try Self.timed(servers.docker("run", "--rm", "--network", "none", name))($0)
            })
        let turns = try await takeTurns(contenders, rounds: options.count(10, quick: 2))
        let rates = try (0..<options.count(5, quick: 2)).map { _ in try startRate(servers) }
        let crowd = try crowd(servers, bridged)
        return Section(
            title: "Containers of a local image, command line to exit",
            samples: turns + [crowd.alone, crowd.among],
            facts: [
                ("starts a second of one command, on the bridge", rates.map(Text.figure).joined(separator: ", ")),
                ("memory of node and keeper before", Text.figure(crowd.before / 1e6) + " MB"),
                ("memory of node and keeper with \(crowd.count) containers", Text.figure(crowd.after / 1e6) + " MB"),
            ],
            findings: [
                .speed("forkless run against docker run, both without a network", turns[0], against: turns[2], atLeast: 40),
                Finding(
                    what: "containers started a second, each with its network", value: Samples.median(rates), unit: "a second",
                    bound: .atLeast, target: 500),
                Finding(
                    what: "p99 of forkless run with \(crowd.count) containers running over none",
                    value: crowd.among.p99 / crowd.alone.p99, unit: "times", bound: .atMost, target: 1.5),
                Finding(
                    what: "memory of node and keeper for an idle container",
                    value: (crowd.after - crowd.before) / Double(crowd.count) / 1000, unit: "KB", bound: .atMost, target: 150),
            ])
    }

    /// How long a command takes, each time.
    private static func timed(_ command: [String]) -> (Int) throws -> [Int] {
        let arguments = ArgumentVector(command)
        return { count in
            let null = open("/dev/null", O_RDWR | O_CLOEXEC)
            defer { close(null) }
            return try (0..<count).map { _ in
                let begin = now()
                let pid = baseline_start(arguments.pointer, null, null, 2)
                let status = pid > 0 ? baseline_wait(pid) : pid
                let took = now() - begin
                guard status == 0 else { throw BenchmarkError("\(command.joined(separator: " ")) ended with \(status)") }
                return took
            }
        }
    }

    /// Containers that are there are started by one command, all at once.
    private func startRate(_ servers: ServersUnderTest) throws -> Double {
        let names = (0..<options.count(400, quick: 50)).map { "rate-\($0)" }
        try make(names, ["--rm"], [], servers)
        let took = try Self.timed(servers.command("start", names))(1)[0]
        // They are removed at their ends.
        for _ in 0..<1200 {
            if try Command.output(servers.forkless("ps", "-a", "-q")).isEmpty { break }
            usleep(50_000)
        }
        return Double(names.count) * 1e9 / Double(took)
    }

    private struct Crowd {
        var count: Int
        var before: Double
        var after: Double
        var alone: Samples
        var among: Samples
    }

    /// Many that do nothing, and what one more costs.
    private func crowd(_ servers: ServersUnderTest, _ one: (Int) throws -> [Int]) throws -> Crowd {
        let count = options.count(1000, quick: 50)
        let measured = options.count(200, quick: 20)
        var alone = Samples("forkless run --rm, none running")
        _ = try one(20)
        alone.add(try one(measured))
        let before = Double(try servers.memory())
        let names = (0..<count).map { "idle-\($0)" }
        try make(names, [], ["/waiting"], servers)
        _ = try Command.output(servers.command("start", names))
        // What was kept ready for the next ones is let go after a while.
        sleep(UInt32(options.count(15, quick: 1)))
        let after = Double(try servers.memory())
        var among = Samples("forkless run --rm, \(count) running")
        _ = try one(20)
        among.add(try one(measured))
        _ = try Command.output(servers.command("rm", ["-f"] + names))
        return Crowd(count: count, before: before, after: after, alone: alone, among: among)
    }

    private func make(_ names: [String], _ flags: [String], _ command: [String], _ servers: ServersUnderTest) throws {
        for name in names {
            _ = try Command.output(servers.command("create", flags + ["--name", name, SmallImage.name] + command))
        }
    }
}

extension ServersUnderTest {
    /// The words of a verb with arguments for this node.
    func command(_ verb: String, _ arguments: [String]) -> [String] { forkless(verb) + arguments }
}
