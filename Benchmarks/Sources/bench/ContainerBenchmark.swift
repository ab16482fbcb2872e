import CBaselines
import Foundation

/// Start to exit of a fully isolated program: through the keeper, with nothing around it, and by runc.
struct ContainerBenchmark {
    private let options: BenchOptions

    /// The keeper refills when half are taken: half is more than a round takes, so every start finds one prepared.
    private static let prepared = 64

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        let keeper = try KeeperUnderTest(options)
        let client = try keeper.client()
        let root = try SmallRoot(in: keeper.directory, options)
        let bundle = try RuncBundle(
            in: keeper.directory, root: root, program: "/noop", profile: try client.ask("profile")[0])
        let template = try client.ask("define", root.path)[0]
        let plain = ArgumentVector(["\(root.path)/noop"])
        let contenders = [
            Contender(name: "keeper, prepared sandboxes", count: 20) { count in
                try client.ask("prepare", template, "\(Self.prepared)")
                return try client.numbers(["time", template, "\(count)", "/noop"])
            },
            Contender(name: "posix_spawn, not isolated", count: 20) { count in
                try (0..<count).map { _ in try Self.time { baseline_posix_spawn(plain.pointer) } }
            },
            Contender(name: "runc run", count: options.count(3, quick: 1)) { count in
                try (0..<count).map { try Self.runc(bundle, "forkless-bench-\(getpid())-\($0)") }
            },
            Contender(name: "keeper, nothing prepared", count: 20) { count in
                try client.ask("prepare", template, "0")
                return try client.numbers(["time", template, "\(count)", "/noop"])
            },
        ]
        let samples = try await takeTurns(contenders, rounds: options.count(20, quick: 4))
        try keeper.stop()
        return Section(
            title:
                "Start to exit of a no-op, fully isolated (pid, mount, net, ipc, uts, cgroup namespaces, limits, seccomp)",
            samples: samples,
            findings: [
                .slowness(
                    "isolated start through the keeper over bare posix_spawn", samples[0], over: samples[1], atMost: 2),
                .speed(
                    "isolated start through the keeper against runc run", samples[0], against: samples[2], atLeast: 15),
            ])
    }

    private static func time(_ body: () -> CInt) throws -> Int {
        let begin = now()
        let status = body()
        let took = now() - begin
        guard status == 0 else { throw BenchmarkError("a program ended with \(status)") }
        return took
    }

    private static func runc(_ bundle: RuncBundle, _ name: String) throws -> Int {
        let arguments = ArgumentVector(bundle.command(name))
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        return try time {
            let pid = baseline_start(arguments.pointer, null, null, 2)
            return pid > 0 ? baseline_wait(pid) : pid
        }
    }
}
