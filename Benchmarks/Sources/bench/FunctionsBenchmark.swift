import CBaselines
import Foundation

/// Functions through the whole Lambda door: warm calls beside AWS's emulator and beside fork and exec for each request,
/// cold starts, many idle ones, a burst from nothing, asynchronous calls.
struct FunctionsBenchmark {
    private let options: BenchOptions
    private var seconds: Int { options.count(5, quick: 2) }
    private var rounds: Int { options.count(7, quick: 2) }

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        let functions = try FunctionsUnderTest(options)
        defer { functions.stop() }
        var section = Section(title: "Functions through the Lambda API")
        try functions.deploy("echo", "--code", try code("bootstrap-echo", "bootstrap"), "--runtime", "provided.al2023", "--memory", "1024")
        Bench.progress("warm calls, the emulator, fork and exec for each request")
        try await warm(functions, &section)
        Bench.progress("asynchronous calls")
        try asynchronous(functions, &section)
        Bench.progress("cold starts")
        try await cold(functions, &section)
        Bench.progress("cbpr-validate")
        try await validator(functions, &section)
        Bench.progress("a burst of 500 calls")
        try burst(functions, &section)
        Bench.progress("idle functions")
        try idle(functions, &section)
        return section
    }

    // Warm.

    private func warm(_ functions: FunctionsUnderTest, _ section: inout Section) async throws {
        let bootstrap = "\(options.examples)/bootstrap-echo"
        let emulator = try EmulatorUnderTest(options, bootstrap: bootstrap, directory: functions.directory)
        defer { emulator.stop() }
        let gateway = try GatewayUnderTest(options, directory: functions.directory)
        defer { gateway.stop() }
        let targets: [(name: String, url: String, connections: Int)] = [
            ("echo, warm, one connection", functions.url("echo"), 1),
            ("AWS's emulator, one connection", emulator.url, 1),
            ("echo, warm, 16 connections", functions.url("echo"), 16),
            ("nginx and fcgiwrap, 16 connections", gateway.url, 16),
        ]
        var runs: [[WrkRun]] = targets.map { _ in [] }
        for round in 0...rounds {
            for turn in targets.indices {
                let target = targets[(turn + round) % targets.count]
                let run = try WrkRun(
                    target.url, script: script("invoke.lua"), connections: target.connections,
                    seconds: round == 0 ? 1 : seconds)
                guard run.failures == 0 else { throw BenchmarkError("\(target.name): \(run.failures) calls failed") }
                if round > 0 { runs[(turn + round) % targets.count].append(run) }
            }
        }
        for (target, runs) in zip(targets, runs) {
            section.facts.append((target.name, Self.words(runs)))
        }
        let (one, emulated, sixteen, forked) = (runs[0], runs[1], runs[2], runs[3])
        section.findings += [
            Finding(
                what: "p50 of a warm call, one connection", value: Self.median(one, \.p50Nanoseconds) / 1000,
                unit: "us",
                bound: .atMost, target: 200),
            Finding(
                what: "warm calls a second, 16 connections", value: Self.median(sixteen, \.requestsPerSecond),
                unit: "a second",
                bound: .atLeast, target: 12_000),
            Self.ratio(
                "calls a second, 16 connections, over the emulator's (one connection: it ends at two)", sixteen,
                emulated, \.requestsPerSecond, .atLeast, 5),
            Self.ratio(
                "p50 of a warm call over the emulator's, one connection", one, emulated, \.p50Nanoseconds, .atMost,
                1.0 / 3),
            Self.ratio(
                "calls a second over fork and exec for each request, 16 connections", sixteen, forked,
                \.requestsPerSecond, .atLeast, 15),
        ]
    }

    private func asynchronous(_ functions: FunctionsUnderTest, _ section: inout Section) throws {
        let runs = try (0..<options.count(3, quick: 1)).map { _ in
            try WrkRun(
                functions.url("echo"), script: script("invoke.lua"), connections: 16, seconds: seconds,
                headers: ["X-Amz-Invocation-Type=Event"])
        }
        guard runs.allSatisfy({ $0.failures == 0 }) else { throw BenchmarkError("asynchronous calls were refused") }
        section.facts.append(("asynchronous, 16 connections", Self.words(runs)))
        section.findings.append(
            Finding(
                what: "asynchronous calls accepted a second, each on disk first",
                value: Self.median(runs, \.requestsPerSecond),
                unit: "a second", bound: .atLeast, target: 2000))
    }

    // Cold.

    private func cold(_ functions: FunctionsUnderTest, _ section: inout Section) async throws {
        let python = "\(options.examples)/functions"
        let runtime = try Command.output(
            ["/usr/bin/python3", "-c", "import sys; print('python%d.%d' % sys.version_info[:2], end='')"])
        // A module may not be called as one that it imports.
        for (name, module) in [("trivial", "trivial"), ("numpy", "with_numpy"), ("boto3", "with_boto3")] {
            for start in ["zygote", "cold"] {
                try functions.deploy(
                    "\(name)-\(start)", "--code", try code("\(module).py", "\(module).py", in: python), "--handler",
                    "\(module).handler",
                    "--runtime", runtime, "--memory", "512", "--timeout", "30", "--tag", "forkless:start=\(start)")
            }
        }
        func contender(_ name: String, _ function: String, count: Int) -> Contender {
            var number = 0
            return Contender(name: name, count: count) { count in
                try (0..<count).map { _ in
                    number += 1
                    // What is prepared ahead is there again, as between two bursts.
                    usleep(300_000)
                    return try functions.coldStart(function, number)
                }
            }
        }
        let count = options.count(10, quick: 3)
        let samples = try await takeTurns(
            [
                contender("static program, sandbox to first request for work", "echo", count: count),
                contender("python, from a zygote", "trivial-zygote", count: count),
                contender("python, awslambdaric started", "trivial-cold", count: options.count(5, quick: 2)),
                contender("python with numpy, from a zygote", "numpy-zygote", count: count),
                contender("python with numpy, started", "numpy-cold", count: options.count(3, quick: 1)),
                contender("python with boto3, from a zygote", "boto3-zygote", count: count),
                contender("python with boto3, started", "boto3-cold", count: options.count(3, quick: 1)),
            ], rounds: options.count(7, quick: 2))
        section.samples += samples
        func finding(_ what: String, _ samples: Samples, _ milliseconds: Double) -> Finding {
            Finding(what: what, value: samples.p50 / 1e6, unit: "ms", bound: .atMost, target: milliseconds)
        }
        section.findings += [
            finding("cold start of a static program in its sandbox", samples[0], 3),
            finding("start of Python from a zygote", samples[1], 4),
            finding("start of Python with numpy from a zygote", samples[3], 8),
            finding("start of Python with boto3 from a zygote", samples[5], 8),
        ]
    }

    /// An unchanged program that checks a message, called through standby copies and started.
    private func validator(_ functions: FunctionsUnderTest, _ section: inout Section) async throws {
        let payments = "\(options.examples)/../../Examples/payments"
        let packages = "\(options.examples)/payments/validator/python"
        _ = try Command.output(["sh", "\(payments)/setup.sh"])
        _ = try Command.output(["/usr/bin/python3", "\(payments)/message.py", "1", "\(functions.directory)/messages"])
        let message = try FileManager.default.contentsOfDirectory(atPath: "\(functions.directory)/messages")[0]
        let input = "\(functions.directory)/messages/\(message)"
        let words = ["\(packages)/bin/cbpr-validate", "validate", "--json", "/dev/stdin"]
        try functions.deploy(
            ["validate", "--code", "\(options.examples)/payments/validator", "--runtime", "forkless.stdio", "--handler",
             "python3 /var/task/python/bin/cbpr-validate validate --json /dev/stdin", "--env", "PYTHONPATH=/var/task/python",
             "--memory", "1769", "--timeout", "30"])
        let started = ArgumentVector(
            ["/bin/sh", "-c", "input=$1; shift; PYTHONPATH=\(packages) exec /usr/bin/python3 \"$@\" < \"$input\" > /dev/null", "sh", input] + words)
        let client = [
            "curl", "-sS", "-X", "POST", "--data-binary", "@\(input)", "-o", "/dev/null", "-w", "%{time_total}",
            functions.url("validate"),
        ]
        _ = try Command.output(client)
        let samples = try await takeTurns(
            [
                Contender(name: "cbpr-validate as a function", count: 5) { count in
                    try (0..<count).map { _ in
                        // The next copy has had the time to get ready, as between two payments.
                        usleep(1_500_000)
                        guard let seconds = Double(try Command.output(client)) else {
                            throw BenchmarkError("call cbpr-validate")
                        }
                        return Int(seconds * 1e9)
                    }
                },
                Contender(name: "cbpr-validate started", count: 3) { count in
                    (0..<count).map { _ in
                        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
                        defer { close(null) }
                        let begin = now()
                        _ = baseline_wait(baseline_start(started.pointer, null, null, null))
                        return now() - begin
                    }
                },
            ], rounds: options.count(5, quick: 2))
        section.samples += samples
        section.findings.append(
            .slowness("cbpr-validate as a function over starting it", samples[0], over: samples[1], atMost: 0.1))
    }

    // Many.

    /// 500 calls at once to a function that nobody has called, each of which takes 100 ms.
    private func burst(_ functions: FunctionsUnderTest, _ section: inout Section) throws {
        let bootstrap = try code("bootstrap-echo", "bootstrap")
        try functions.deploy(
            "burst", "--code", bootstrap, "--runtime", "provided.al2023", "--env", "ECHO_DELAY_MS=100", "--timeout",
            "60")
        let payload = "\(functions.directory)/payload.json"
        try Data("{}".utf8).write(to: URL(fileURLWithPath: payload))
        let text = try Command.output([
            "ab", "-q", "-n", "500", "-c", "500", "-s", "60", "-p", payload, "-T", "application/json",
            functions.url("burst"),
        ])
        func number(_ pattern: Regex<(Substring, Substring)>) -> Double {
            text.firstMatch(of: pattern).flatMap { Double($0.1) } ?? 0
        }
        let failed = number(/Failed requests:\s+([0-9]+)/) + number(/Non-2xx responses:\s+([0-9]+)/)
        guard number(/Complete requests:\s+([0-9]+)/) == 500 else {
            throw BenchmarkError("send a burst of 500 calls:\n\(text)")
        }
        let pools = try Command.output([
            "curl", "-sS", "--unix-socket", "\(functions.directory)/run/lambda.sock", "http://node/forkless/v1/pools",
        ])
        section.facts.append(
            ("500 calls at once of 100 ms each", Text.figure(number(/Time taken for tests:\s+([0-9.]+)/)) + " s"))
        section.findings += [
            Finding(
                what: "errors among 500 calls at once, from no instance", value: failed, unit: "errors", bound: .atMost,
                target: 0),
            Finding(
                what: "instances that the burst was served by", value: Double(try Self.peak(of: "burst", pools)),
                unit: "instances",
                bound: .atLeast, target: 50),
        ]
    }

    /// The most instances that a function has had at once, as the node tells.
    private static func peak(of function: String, _ pools: String) throws -> Int {
        guard let object = try JSONSerialization.jsonObject(with: Data(pools.utf8)) as? [String: Any],
            let list = object["Pools"] as? [[String: Any]],
            let pool = list.first(where: { $0["FunctionName"] as? String == function }),
            let peak = pool["Peak"] as? Int
        else { throw BenchmarkError("read the pools: \(pools)") }
        return peak
    }

    private func idle(_ functions: FunctionsUnderTest, _ section: inout Section) throws {
        let count = options.count(1000, quick: 50)
        let bootstrap = try code("bootstrap-echo", "bootstrap")
        let before = try functions.node.memory("VmRSS")
        for number in 0..<count {
            try functions.deploy("idle-\(number)", "--code", bootstrap, "--runtime", "provided.al2023")
        }
        let after = try functions.node.memory("VmRSS")
        section.facts.append(
            ("memory of the node with \(count) idle functions", Text.figure(Double(after) / 1e6) + " MB"))
        section.findings.append(
            Finding(
                what: "memory of \(count) idle functions", value: Double(after - before) / 1e6, unit: "MB",
                bound: .atMost,
                target: 50 * Double(count) / 1000))
    }

    // Parts.

    private func script(_ name: String) -> String { "\(options.examples)/../../Benchmarks/Programs/\(name)" }

    /// A directory with one file in it, as it is deployed.
    private func code(_ file: String, _ name: String, in directory: String? = nil) throws -> String {
        let place = "\(options.examples)/code-\(file)"
        let files = FileManager.default
        try files.createDirectory(atPath: place, withIntermediateDirectories: true)
        try? files.removeItem(atPath: "\(place)/\(name)")
        try files.copyItem(atPath: "\(directory ?? options.examples)/\(file)", toPath: "\(place)/\(name)")
        return place
    }

    private static func median(_ runs: [WrkRun], _ field: KeyPath<WrkRun, Double>) -> Double {
        Samples.median(runs.map { $0[keyPath: field] })
    }

    private static func words(_ runs: [WrkRun]) -> String {
        "p50 \(Text.time(median(runs, \.p50Nanoseconds))), p99 \(Text.time(median(runs, \.p99Nanoseconds))), "
            + "\(Text.figure(median(runs, \.requestsPerSecond))) a second"
    }

    private static func ratio(
        _ what: String, _ runs: [WrkRun], _ others: [WrkRun], _ field: KeyPath<WrkRun, Double>, _ bound: Finding.Bound,
        _ target: Double
    ) -> Finding {
        let ratios = zip(runs, others).map { $0[keyPath: field] / $1[keyPath: field] }.sorted()
        return Finding(
            what: what, value: Samples.median(ratios), unit: "times", bound: bound, target: target,
            range: [ratios[(ratios.count - 1) / 4], ratios[(ratios.count - 1) * 3 / 4]])
    }
}
