import CBaselines
import Foundation

/// What a shim costs: the original measured behind it, and a standby that answers in its place.
struct ShimBenchmark {
    private let options: BenchOptions
    private let forkless: String
    private let directory: String

    init(_ options: BenchOptions) throws {
        guard geteuid() == 0 else { throw BenchmarkError("shift programs: this needs root") }
        self.options = options
        forkless = "\(options.programs)/forkless"
        directory = try KeeperUnderTest.temporaryDirectory()
        guard FileManager.default.fileExists(atPath: "\(options.programs)/forkless-shim") else {
            throw BenchmarkError(
                "measure the shim: \(options.programs)/forkless-shim is not there; `make build` puts it there")
        }
    }

    func run() async throws -> Section {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // Programs of our own, so that nobody else's calls are shifted.
        let plain = try copy("/bin/true", "plain")
        let measured = try copy("/bin/true", "measured")
        let standby = try copy("/bin/cat", "standby")
        let node = try ServerProcess(
            "forkless node", [forkless, "node"] + places + listen, log: "\(directory)/node.log")
        defer {
            for program in [measured, standby] {
                _ = try? Command.output([forkless, "shift", "rollback"] + places + [program])
            }
            node.stop()
            stopKeeper()
        }
        try node.untilServing([forkless, "shift", "status"] + places)
        _ = try Command.output([forkless, "shift", "set"] + places + [measured, "--mode", "measure"])
        _ = try Command.output([forkless, "shift", "set"] + places + [standby, "--to", "standby", "--mode", "full"])
        // The first call of a standby makes its pool.
        for _ in 0..<20 { _ = try spawn([standby]) }

        let count = options.count(100, quick: 10)
        let imports = "import json, decimal, ssl, sqlite3"
        let samples = try await takeTurns(
            [
                Contender(name: "exec of a no-op, linked dynamically", count: count) { try self.times($0, [plain]) },
                Contender(name: "the same, measured behind a shim", count: count) { try self.times($0, [measured]) },
                Contender(name: "a standby through a shim", count: count) {
                    try self.times($0, [standby], paced: true)
                },
                Contender(name: "python3 with common imports", count: options.count(5, quick: 2)) {
                    try self.times($0, ["/usr/bin/python3", "-c", imports])
                },
            ], rounds: options.count(12, quick: 3))
        var section = Section(title: "Shims: from posix_spawn to the end that the caller sees", samples: samples)
        let added = zip(samples[1].roundMedians, samples[0].roundMedians).map { ($0 - $1) / 1_000_000 }.sorted()
        section.findings = [
            Finding(
                what: "measure mode adds to a call", value: Samples.median(added), unit: "ms", bound: .atMost,
                target: 0.3,
                range: [added[(added.count - 1) / 4], added[(added.count - 1) * 3 / 4]]),
            .slowness(
                "a standby through the shim, over exec of a dynamically linked no-op", samples[2], over: samples[0],
                atMost: 1),
            .speed(
                "a standby through the shim, against python3 with common imports", samples[2], against: samples[3],
                atLeast: 10),
        ]
        section.notes = [
            "The standby is cat with an empty input. Its calls come 5 ms apart, in which the next copy gets ready.",
            "The no-op is /bin/true, the imports are json, decimal, ssl and sqlite3.",
        ]
        return section
    }

    private var places: [String] { ["--state", "\(directory)/state", "--run", "\(directory)/run"] }

    private var listen: [String] { ["--lambda-listen", "off", "--http-listen", "off"] }

    private func copy(_ program: String, _ name: String) throws -> String {
        let path = "\(directory)/\(name)"
        try FileManager.default.copyItem(atPath: program, toPath: path)
        return path
    }

    private func times(_ count: Int, _ words: [String], paced: Bool = false) throws -> [Int] {
        try (0..<count).map { _ in
            if paced { usleep(5000) }
            return try spawn(words)
        }
    }

    /// posix_spawn and waitpid with /dev/null as standard streams, nanoseconds.
    private func spawn(_ words: [String]) throws -> Int {
        let arguments = ArgumentVector(words)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number in CInt(0)...2 { posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0) }
        // What a caller leaves open would be inherited by the program, and no target takes that.
        for number in CInt(3)..<256 { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        let begin = now()
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], &actions, nil, arguments.pointer, environ)
        guard code == 0 else { throw BenchmarkError("start \(words[0]): \(String(cString: strerror(code)))") }
        var status: Int32 = 0
        guard waitpid(pid, &status, 0) == pid, status == 0 else {
            throw BenchmarkError("\(words[0]) ended with \(status)")
        }
        return now() - begin
    }

    /// The keeper outlives its node.
    private func stopKeeper() {
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap({ pid_t($0) }) ?? []
        for pid in pids {
            guard let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline")) else { continue }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard words.first?.hasSuffix("forkless-keeper") == true, words.contains("\(directory)/run") else {
                continue
            }
            kill(pid, SIGTERM)
            for _ in 0..<200 where kill(pid, 0) == 0 { usleep(10_000) }
        }
    }
}
