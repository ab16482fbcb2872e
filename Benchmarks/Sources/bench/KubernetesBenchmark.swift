import CBaselines
import Foundation

/// The Kubernetes door as its clients see it: how fast objects are written, told and become running programs, and what a
/// rollout costs those who call meanwhile.
struct KubernetesBenchmark {
    private let options: BenchOptions
    private let directory: String
    private let forkless: String
    private let kubeconfig: String
    private let port = 16443

    init(_ options: BenchOptions) throws {
        guard geteuid() == 0 else { throw BenchmarkError("run pods: this needs root") }
        self.options = options
        directory = try KeeperUnderTest.temporaryDirectory()
        forkless = "\(options.programs)/forkless"
        kubeconfig = "\(directory)/kubeconfig"
    }

    func run() async throws -> Section {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var section = Section(title: "The Kubernetes API")
        Bench.progress("start and memory of a node")
        try start(&section)
        var node = try startNode()
        defer { stop(node) }
        section.facts.append(("what Kubernetes 1.36 took on such a machine", "ready 3 to 7 s, 790 MiB; see PROMISES.md"))
        try await Task.sleep(for: .seconds(5))
        let idle = try node.memory("VmRSS") + keeperMemory()
        section.findings.append(
            Finding(
                what: "memory of node and keeper with nothing running", value: Double(idle) / 1_048_576, unit: "MiB",
                bound: .atMost, target: 70))
        try configure(node)
        try writes(&section)
        try pods(&section)
        try services(&section)
        withExtendedLifetime(node) {}
        node = try restart(node)
        return section
    }

    // The node.

    private var places: [String] { ["--state", "\(directory)/state", "--run", "\(directory)/run"] }

    private func startNode() throws -> ServerProcess {
        try ServerProcess(
            "forkless node",
            [forkless, "node"] + places + [
                "--kube-listen", "127.0.0.1:\(port)", "--lambda-listen", "off", "--http-listen", "off", "--ingress-listen",
                "off", "--ingress-tls-listen", "off",
            ], log: "\(directory)/node.log")
    }

    private func untilReady() throws {
        for _ in 0..<20_000 {
            let answer = try? Command.output([
                "curl", "-sk", "--max-time", "5", "https://127.0.0.1:\(port)/readyz",
            ])
            if answer == "ok" { return }
            usleep(1000)
        }
        throw BenchmarkError("the node is not ready: see \(directory)/node.log")
    }

    /// The first start makes keys and certificates; the others find them.
    private func start(_ section: inout Section) throws {
        var times: [Double] = []
        for _ in 0...options.count(5, quick: 2) {
            let begin = now()
            let node = try startNode()
            try untilReady()
            times.append(Double(now() - begin) / 1e6)
            stop(node)
        }
        section.facts.append(("start of a node until /readyz, the first time", Text.figure(times[0]) + " ms"))
        section.findings.append(
            Finding(
                what: "start of a node until /readyz says ok", value: Samples.median(Array(times.dropFirst())), unit: "ms",
                bound: .atMost, target: 300))
    }

    private func configure(_ node: ServerProcess) throws {
        try untilReady()
        let text = try Command.output([forkless, "kubeconfig"] + places)
        try Data(text.utf8).write(to: URL(fileURLWithPath: kubeconfig))
        let image = try SmallImage(
            at: "\(directory)/web.tar", options, name: "web:1", programs: ["web", "noop"])
        _ = try Command.output([forkless, "load"] + places + ["-i", image.path])
    }

    private func restart(_ node: ServerProcess) throws -> ServerProcess {
        stop(node)
        return try startNode()
    }

    private func stop(_ node: ServerProcess) {
        node.stop()
        for pid in keepers {
            kill(pid, SIGTERM)
            for _ in 0..<200 where kill(pid, 0) == 0 { usleep(10_000) }
        }
    }

    private var keepers: [pid_t] {
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap({ pid_t($0) }) ?? []
        return pids.filter { pid in
            guard let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline")) else { return false }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.first?.hasSuffix("forkless-keeper") == true && words.contains("\(directory)/run")
        }
    }

    private func keeperMemory() throws -> Int {
        guard let keeper = keepers.first,
            let text = try? String(contentsOfFile: "/proc/\(keeper)/status", encoding: .utf8),
            let resident = text.firstMatch(of: /VmRSS:\s+([0-9]+) kB/).flatMap({ Int($0.1) })
        else { throw BenchmarkError("read the memory of the node's keeper") }
        return resident << 10
    }

    // What is measured.

    private func kube(_ what: String, _ count: Int = 1) throws -> [String: Any] {
        let text = try Command.output(["/usr/bin/python3", program("kube.py"), what, kubeconfig, "\(count)"])
        guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw BenchmarkError("read what kube.py says of \(what): \(text)")
        }
        return object
    }

    private func program(_ name: String) -> String { "\(options.examples)/../../Benchmarks/Programs/\(name)" }

    private func samples(_ name: String, _ times: Any?) throws -> Samples {
        guard let times = times as? [Int], !times.isEmpty else { throw BenchmarkError("\(name): no samples") }
        var samples = Samples(name)
        samples.add(times)
        return samples
    }

    private func finding(_ what: String, _ samples: Samples, _ milliseconds: Double) -> Finding {
        Finding(what: what, value: samples.p50 / 1e6, unit: "ms", bound: .atMost, target: milliseconds)
    }

    private func writes(_ section: inout Section) throws {
        Bench.progress("creating objects")
        guard let token = try kube("token")["token"] as? String else { throw BenchmarkError("make a token") }
        let runs = try (0..<options.count(5, quick: 1)).map { _ in
            try WrkRun(
                "https://127.0.0.1:\(port)/api/v1/namespaces/default/configmaps", script: program("create.lua"),
                connections: 16, seconds: options.count(5, quick: 2), headers: [token])
        }
        guard runs.allSatisfy({ $0.failures == 0 }) else { throw BenchmarkError("creating objects failed") }
        section.findings.append(
            Finding(
                what: "durable creates a second, 16 clients", value: Samples.median(runs.map(\.requestsPerSecond)),
                unit: "a second", bound: .atLeast, target: 3000))
        Bench.progress("watch events")
        let watch = try samples("write to watch event", try kube("watch", options.count(500, quick: 50))["watch"])
        section.samples.append(watch)
        section.findings.append(finding("from a write to its event at a watcher, p50", watch, 2))
        Bench.progress("a table of pods")
        let count = options.count(5000, quick: 200)
        let table = try samples("table of \(count) pods", try kube("table", count)["table"])
        section.samples.append(table)
        section.findings.append(finding("list of \(count) pods as a table", table, 60))
    }

    private func pods(_ section: inout Section) throws {
        Bench.progress("pods and jobs")
        let pods = try kube("running", options.count(60, quick: 5))
        let running = try samples("pod sent to running", pods["running"])
        let back = try samples("container killed to running again", pods["back"])
        let job = try samples("job of a no-op to complete", try kube("job", options.count(40, quick: 5))["job"])
        section.samples += [running, back, job]
        section.findings += [
            finding("from a pod to running, p50", running, 25),
            finding("from a killed container to its successor running", back, 20),
            finding("a Job of a program that ends at once, to complete", job, 60),
        ]
    }

    private func services(_ section: inout Section) throws {
        Bench.progress("a service of 10 replicas, rolled under load")
        let made = try kube("service", 10)
        guard let address = made["service"] as? String, let pod = made["pod"] as? String else {
            throw BenchmarkError("deploy a service")
        }
        var direct: [WrkRun] = []
        var through: [WrkRun] = []
        for _ in 0..<options.count(5, quick: 1) {
            direct.append(try load("http://\(pod):8080/", connections: 8, seconds: options.count(4, quick: 1), pause: 0))
            through.append(try load("http://\(address)/", connections: 8, seconds: options.count(4, quick: 1), pause: 0))
        }
        let ratios = zip(through, direct).map { $0.requestsPerSecond / $1.requestsPerSecond }
        section.findings.append(
            Finding(
                what: "requests a second through the service's address over directly to a pod",
                value: Samples.median(ratios), unit: "times", bound: .atLeast, target: 0.9))
        // 10 connections that ask every 10 ms: 1,000 requests a second.
        let seconds = options.count(20, quick: 8)
        let background = LoadInBackground { try load("http://\(address)/", connections: 10, seconds: seconds, pause: 9) }
        usleep(500_000)
        var rollouts: [Int] = []
        for _ in 0..<options.count(3, quick: 1) { rollouts += try kube("rollout", 10)["rollout"] as? [Int] ?? [] }
        let run = try background.result()
        var samples = Samples("rolling update of 10 replicas")
        samples.add(rollouts)
        section.samples.append(samples)
        section.facts.append(("load while it rolls", "\(Int(run.requestsPerSecond)) requests a second"))
        section.findings.append(
            Finding(
                what: "errors of wrk in \(rollouts.count) rolling updates of 10 replicas under load (a connection that is closed counts)",
                value: Double(run.failures), unit: "requests", bound: .atMost, target: 0))
        Bench.progress("500 pods")
        let many = options.count(500, quick: 30)
        let scale = try kube("scale", many)["scale"] as? [Int] ?? []
        section.facts.append(("from 10 to \(many) ready replicas", Text.time(Double(scale.first ?? 0))))
        section.findings.append(
            Finding(
                what: "pods that are ready at once", value: scale.isEmpty ? 0 : Double(many), unit: "pods", bound: .atLeast,
                target: Double(many)))
        _ = try kube("scale", 0)
    }

    private func load(_ url: String, connections: Int, seconds: Int, pause: Int) throws -> WrkRun {
        try WrkRun(url, script: program("paced.lua"), connections: connections, seconds: seconds, headers: ["\(pause)"])
    }
}

/// A load that goes on while something else is done.
private final class LoadInBackground: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var outcome: Result<WrkRun, any Error>?

    init(_ body: @escaping () throws -> WrkRun) {
        nonisolated(unsafe) let body = body
        Thread.detachNewThread {
            self.outcome = Result { try body() }
            self.done.signal()
        }
    }

    func result() throws -> WrkRun {
        done.wait()
        return try outcome!.get()
    }
}
