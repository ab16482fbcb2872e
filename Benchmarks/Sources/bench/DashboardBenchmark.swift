import Foundation

/// The dashboard of a node with a thousand workloads, as a browser paints it.
struct DashboardBenchmark {
    private static let workloads = 1000
    /// Those that run, so that the page has memory and CPU to ask for: more than stand on one page.
    private static let running = 60

    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        var section = Section(title: "The dashboard")
        let directory = try KeeperUnderTest.temporaryDirectory()
        let (state, run) = ("\(directory)/state", "\(directory)/run")
        let forkless = "\(options.programs)/forkless"
        let browser = "\(options.examples)/bench-browser"
        let programs = "\(options.examples)/../../Benchmarks/Programs"
        _ = try Command.output(["sh", "\(programs)/get-browser.sh", browser])
        let address = "127.0.0.1:\(try FunctionsUnderTest.freePort())"
        let node = try ServerProcess(
            "forkless node",
            [
                forkless, "node", "--state", state, "--run", run, "--lambda-listen", "off", "--kubernetes-listen", "off", "--http-listen",
                address,
            ], log: "\(directory)/node.log")
        defer {
            node.stop()
            NodeKeepers.stop(run: run)
            try? FileManager.default.removeItem(atPath: directory)
        }
        let settings = ["FORKLESS_STATE=\(state)", "FORKLESS_RUN=\(run)", "FORKLESS=\(forkless)"]
        try node.untilServing(["env"] + settings + [forkless, "dashboard"])
        Bench.progress("a thousand workloads")
        let line = """
            for n in $(seq 1 \(Self.workloads)); do
              name=worker-$(printf %04d "$n")
              if [ "$n" -le \(Self.running) ]; then "$FORKLESS" run -d --name "$name" sleep 100000; else "$FORKLESS" create --name "$name" true; fi
            done >/dev/null
            """
        _ = try Command.output(["env"] + settings + ["sh", "-ec", line])
        for (name, path) in [("the overview", ""), ("the table of workloads", "/workloads"), ("the table, sorted and searched", "/workloads?q=worker&sort=state")] {
            Bench.progress("first paint of \(name)")
            let output = try Command.output(
                ["env"] + settings + [
                    "\(browser)/bin/python", "\(programs)/../../Tests/Clients/dashboard_browser.py", forkless, "--paint", path,
                    "\(options.count(20, quick: 3))",
                ])
            let times = output.split(separator: "\n").compactMap { Double($0) }.map { Int($0 * 1e6) }
            guard !times.isEmpty else { throw BenchmarkError("measure the first paint of \(name): the browser named no time") }
            var samples = Samples("first contentful paint of \(name)")
            samples.add(times)
            section.samples.append(samples)
            section.findings.append(
                Finding(
                    what: "first contentful paint of \(name), \(Self.workloads) workloads", value: samples.p50 / 1e6, unit: "ms", bound: .atMost,
                    target: 200))
        }
        return section
    }
}
