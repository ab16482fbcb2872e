import Foundation

/// The Kubernetes door as its clients see it: how fast objects are written, told and become running programs, and what a
/// rollout costs those who call meanwhile.
struct KubernetesBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() throws -> Section {
        var section = Section(title: "The Kubernetes API")
        section.facts.append(
            ("what Kubernetes 1.36 took on such a machine", "ready 3 to 7 s, 790 MiB; see PROMISES.md"))
        try starts(&section)
        try step("creating objects, watch events, a table") { cluster in try writes(&section, cluster) }
        try step("pods and jobs") { cluster in try pods(&section, cluster) }
        try step("a service: its address, rollouts, 500 pods") { cluster in
            try service(&section, cluster)
            try many(&section, cluster)
        }
        return section
    }

    /// Each step has a node of its own, that none has to do with what another left.
    private func step(_ name: String, _ body: (ClusterUnderTest) throws -> Void) throws {
        Bench.progress(name)
        let cluster = try ClusterUnderTest(options)
        try cluster.start()
        try cluster.configure()
        try body(cluster)
    }

    // What is measured.

    /// The first start makes keys and certificates; the others find them.
    private func starts(_ section: inout Section) throws {
        Bench.progress("start and memory of a node")
        let cluster = try ClusterUnderTest(options)
        var times = [Double(try cluster.start()) / 1e6]
        for _ in 0..<options.count(5, quick: 2) {
            cluster.stop()
            times.append(Double(try cluster.start()) / 1e6)
        }
        section.facts.append(("start of a node until /readyz, the first time", Text.figure(times[0]) + " ms"))
        section.findings.append(
            Finding(
                what: "start of a node until /readyz says ok", value: Samples.median(Array(times.dropFirst())),
                unit: "ms",
                bound: .atMost, target: 300))
        sleep(5)
        section.findings.append(
            Finding(
                what: "memory of node and keeper with nothing running", value: Double(try cluster.memory()) / 1_048_576,
                unit: "MiB", bound: .atMost, target: 70))
    }

    private func samples(_ name: String, _ times: [Int], into section: inout Section) -> Samples {
        var samples = Samples(name)
        samples.add(times)
        section.samples.append(samples)
        return samples
    }

    private func finding(_ what: String, _ samples: Samples, _ milliseconds: Double) -> Finding {
        Finding(what: what, value: samples.p50 / 1e6, unit: "ms", bound: .atMost, target: milliseconds)
    }

    private func writes(_ section: inout Section, _ cluster: ClusterUnderTest) throws {
        guard let token = try cluster.kube("token", within: 20)["token"] as? String else {
            throw BenchmarkError("make a token: kube.py names none")
        }
        let maps = "\(ClusterUnderTest.api)/api/v1/namespaces/default/configmaps"
        let runs = try (0..<options.count(5, quick: 1)).map { _ in
            try WrkRun(
                maps, script: cluster.program("create.lua"), connections: 16, seconds: options.count(4, quick: 2),
                headers: [token], through: cluster.inside([]))
        }
        let failures = runs.reduce(0) { $0 + $1.failures }
        guard failures == 0 else { throw BenchmarkError("\(failures) of the objects of wrk could not be created") }
        section.findings.append(
            Finding(
                what: "durable creates a second, 16 clients", value: Samples.median(runs.map(\.requestsPerSecond)),
                unit: "a second", bound: .atLeast, target: 3000))
        let events = try cluster.kube("watch", options.count(500, quick: 50), within: 60)
        let watch = samples("write to watch event", try cluster.times("watch", in: events), into: &section)
        section.findings.append(finding("from a write to its event at a watcher, p50", watch, 2))
        let count = options.count(5000, quick: 200)
        let lists = try cluster.kube("table", count, within: 120)
        let table = samples("table of \(count) pods", try cluster.times("table", in: lists), into: &section)
        section.findings.append(finding("list of \(count) pods as a table", table, 60))
    }

    private func pods(_ section: inout Section, _ cluster: ClusterUnderTest) throws {
        let pods = try cluster.kube("running", options.count(60, quick: 5), within: 120)
        let running = samples("pod sent to running", try cluster.times("running", in: pods), into: &section)
        let back = samples("container killed to running again", try cluster.times("back", in: pods), into: &section)
        let jobs = try cluster.kube("job", options.count(40, quick: 5), within: 120)
        let job = samples("job of a no-op to complete", try cluster.times("job", in: jobs), into: &section)
        section.findings += [
            finding("from a pod to running, p50", running, 25),
            finding("from a killed container to its successor running", back, 20),
            finding("a Job of a program that ends at once, to complete", job, 60),
        ]
    }

    private func service(_ section: inout Section, _ cluster: ClusterUnderTest) throws {
        // One replica: through the service and directly it is the same server that answers.
        let made = try cluster.kube("service", 1, within: 60)
        guard let service = made["service"] as? String, let pod = made["pod"] as? String,
            let client = made["client"] as? Int
        else { throw BenchmarkError("deploy a service: kube.py does not say where it is") }
        let places = [("the host", cluster.inside([])), ("within a pod", ClusterUnderTest.entering(pid_t(client)))]
        for (place, prefix) in places {
            section.findings.append(try ratio(service: service, pod: pod, from: place, prefix))
        }
        _ = try cluster.kube("leave", within: 30)
        _ = try cluster.kube("scale", 10, within: 60)
        for load in RolloutLoad.allCases {
            Bench.progress("rolling updates of 10 replicas: \(load.name)")
            let outcome = try load.run(cluster, service: service, rollouts: options.count(3, quick: 1))
            report(outcome, load, &section)
        }
    }

    private func ratio(service: String, pod: String, from place: String, _ prefix: [String]) throws -> Finding {
        Bench.progress("the service's address and the pod's own, from \(place)")
        var ratios: [Double] = []
        for _ in 0..<options.count(5, quick: 1) {
            let seconds = options.count(2, quick: 1)
            let direct = try WrkRun("http://\(pod):8080/", connections: 8, seconds: seconds, through: prefix)
            let through = try WrkRun("http://\(service)/", connections: 8, seconds: seconds, through: prefix)
            guard direct.failures + through.failures == 0 else {
                throw BenchmarkError(
                    "ask a service from \(place): \(direct.failures) and \(through.failures) requests failed")
            }
            ratios.append(through.requestsPerSecond / direct.requestsPerSecond)
        }
        return Finding(
            what: "requests a second through the service's address over directly to its pod, from \(place)",
            value: Samples.median(ratios), unit: "times", bound: .atLeast, target: 0.9)
    }

    private func report(_ outcome: RolloutLoad.Outcome, _ load: RolloutLoad, _ section: inout Section) {
        _ = samples("rolling update: \(load.name)", outcome.rollouts, into: &section)
        let (wrk, steady) = (outcome.wrk, outcome.steady)
        section.facts.append(
            (
                "wrk, \(load.name)",
                "\(Int(wrk.requestsPerSecond)) a second, \(wrk.requests) answered, \(wrk.refused) refused, "
                    + "\(wrk.unanswered) not answered, \(wrk.ended) connections ended"
            ))
        section.facts.append(
            (
                "steady.c beside it",
                "\(steady.answered) answered, \(steady.refused) refused, \(steady.lost) lost, \(steady.unreached) not reached, "
                    + "\(steady.closed) connections closed between requests"
            ))
        section.findings.append(
            Finding(
                what: "requests that failed in \(outcome.rollouts.count) rolling updates of 10 replicas: \(load.name)",
                value: Double(outcome.failed(load)), unit: "requests", bound: .atMost, target: 0))
    }

    private func many(_ section: inout Section, _ cluster: ClusterUnderTest) throws {
        let count = options.count(500, quick: 30)
        Bench.progress("\(count) pods")
        let before = try cluster.memory()
        let up = try cluster.times("scale", in: try cluster.kube("scale", count, within: 150))
        let after = try cluster.memory()
        let gone = try cluster.times("scale", in: try cluster.kube("scale", 0, within: 150))
        section.facts += [
            ("from 10 to \(count) ready pods", Text.time(Double(up[0]))),
            ("from \(count) pods to none", Text.time(Double(gone[0]))),
            (
                "memory of node and keeper with \(count) pods",
                "\(Text.figure(Double(after) / 1_048_576)) MiB, \(Text.figure(Double(after - before) / 1024 / Double(count - 10))) "
                    + "KiB for each"
            ),
        ]
        section.findings.append(
            Finding(
                what: "pods that are ready at once, and gone afterwards", value: Double(count), unit: "pods",
                bound: .atLeast,
                target: Double(count)))
    }
}
