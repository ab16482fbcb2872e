import Comparison
import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// `forkless compare` as a user runs it.
@Suite(.serialized, .leavesNothing) struct CompareIntegrationTests {
    private func report(_ outcome: CommandRunner.Outcome) throws -> ComparisonReport {
        try ComparisonReport(json: JSONParser.parse(outcome.text))
    }

    private static let short = ["compare", "--quick", "--output", "json", "--count", "4", "--repetitions", "2"]

    @Test func `the same program on two rungs gives a whole report`() async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless.call(
            Self.short + ["--rungs", "fork,process", "--each-line", "--", "sed", "s/a/b/"], input: "a\nba\nc\n")
        #expect(outcome.status == .exited(0), "\(outcome.errorText)")
        let report = try report(outcome)
        #expect(report.rungs.map(\.rung.name) == ["fork", "process"] && report.incomplete == nil)
        #expect(report.rungs.map(\.results) == [.reference, .identical])
        for rung in report.rungs {
            #expect(rung.incomplete == nil && rung.calls == 8 && rung.failures.isEmpty)
            #expect(rung.latency.value?.histogram.count == 8 && rung.latency.value?.p50.interval != nil)
            #expect(rung.cpuPerCall.value != nil && rung.busyMemory.value != nil && rung.idleMemory.value != nil)
            #expect(!rung.curve.isEmpty && rung.density.value?.points.last?.instances == 8)
            #expect(rung.scale.value?.instances == 4 && rung.recovery.value != nil && rung.costPerMillion.value != nil)
            #expect(rung.isolation.value?.elements.isEmpty == false)
        }
        #expect(
            report.workload.programs.map(\.command) == [["sed", "s/a/b/"]] && report.workload.programs[0].inputs == 3)
        #expect(report.driver.cpuPerCall.value != nil && !report.prices.isEmpty)
    }

    @Test func `a program that fails or hangs is told by kind, with status 1`() async throws {
        let forkless = try TestForkless()
        // What crashes has time for it on any machine: a call that is slow to begin would be told as one that hangs.
        for (script, kind, timeout) in [
            ("cat >/dev/null; echo no >&2; exit 3", FailureKind.crash, "5s"),
            ("cat >/dev/null; exec sleep 600", .hang, "300ms"),
        ] {
            let outcome = try await forkless.call(
                Self.short + ["--rungs", "process", "--timeout", timeout, "--", "sh", "-c", script])
            #expect(outcome.status == .exited(1), "\(script): \(outcome.errorText)")
            let rung = try #require(try report(outcome).rungs.first)
            #expect(rung.failures.kinds.map(\.kind) == [kind], "\(script): \(rung.failures)")
            #expect(rung.failures.total == rung.calls && rung.latency.value == nil && rung.incomplete != nil)
        }
    }

    /// The census at the end of the suite looks for what the node, its keeper and their cgroups leave.
    @Test(.enabled(if: isRoot)) func `without a node it runs one of its own, which leaves nothing`() async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless.call(
            ["compare", "--quick", "--output", "json", "--count", "2", "--repetitions", "2", "--rungs", "container", "--", "cat"],
            input: "a trade\n")
        #expect(outcome.status == .exited(0), "\(outcome.errorText)")
        #expect(try report(outcome).rungs.map(\.rung.name) == ["container"])
    }

    /// Ctrl-C for the comparison that runs.
    private func interrupt(_ forkless: TestForkless) throws {
        let pids = try Files.list("/proc").compactMap(Int32.init).filter { pid in
            let words = (try? Files.readText("/proc/\(pid)/cmdline"))?.split(separator: "\0").map(String.init) ?? []
            return words.first == forkless.executable && words.contains("compare")
                && (try? Files.readText("/proc/\(pid)/environ"))?.contains(forkless.run) == true
        }
        let pid = try #require(pids.first)
        try ProcessFD(pid: pid).signal(Signal.interrupt)
    }

    private func functions(_ forkless: TestForkless) async throws -> [JSONValue] {
        let list = try await forkless("fn", "list", "--output", "json")
        return try #require(try JSONParser.parse(list.text)["Functions"]?.array, "\(list.errorText)")
    }

    @Test func `ctrl-C gives what was measured until then`() async throws {
        let forkless = try TestForkless()
        let log = forkless.path("progress")
        let line =
            "exec \(forkless.executable) compare --output json --rungs fork,process --thorough -- cat 2>\(log) </dev/null"
        let running = Task { try await CommandRunner.run(["/bin/sh", "-c", line], environment: forkless.environment) }
        try await eventually(within: .seconds(50), "the first rung is measured") {
            (try? Files.readText(log))?.contains("comparing: fork + exec") == true
        }
        try interrupt(forkless)
        let outcome = try await running.value
        #expect(outcome.status == .exited(130), "\(outcome.status)")
        let report = try report(outcome)
        #expect(report.incomplete == "interrupted in rung 1 of 2")
        #expect(report.rungs.map(\.rung.name) == ["fork"] && report.rungs[0].incomplete == "interrupted")
    }

    @Test func `a report is printed, kept under a name, listed, and not written over`() async throws {
        let forkless = try TestForkless()
        let words = [
            "compare", "--quick", "--count", "2", "--repetitions", "2", "--rungs", "process", "--save", "first",
        ]
        let outcome = try await forkless.call(
            words + ["--html", forkless.path("page.html"), "--", "cat"], input: "a\n")
        #expect(outcome.status == .exited(0), "\(outcome.errorText)")
        #expect(outcome.text.contains("process") && !outcome.text.contains("\u{1b}"))
        #expect(try Files.readText(forkless.path("page.html")).hasPrefix("<!DOCTYPE html>"))
        let list = try await forkless("compare", "--list")
        #expect(list.text.contains("first") && list.text.contains("cat"), "\(list.text)")
        let again = try await forkless.call(words + ["--", "cat"])
        #expect(
            again.status == .exited(125) && again.errorText.contains("there is a report of this name already"),
            "\(again.errorText)")
        let shown = try await forkless("compare", "--show", "first")
        #expect(shown.status == .exited(0) && shown.text == outcome.text, "\(shown.errorText)")
        let kept = try Files.read(forkless.path("state/reports/first.json"))
        let json = try await forkless("compare", "--show", "first", "--output", "json")
        #expect(try JSONParser.parse(json.output) == JSONParser.parse(kept))
    }

    @Test(arguments: [
        (["--show", "none"], "read the report none"),
        (["--show", "../first"], "it holds something else than letters"),
        (["--show", "first", "--", "cat"], "write no program besides"),
        (["--list", "--workload", "mix.yaml"], "write no program besides"),
        (["--list", "--save", "first"], "nothing is measured with --list"),
        (["--show", "first", "--save", "second"], "nothing is measured with --show"),
        (["--list", "--html", "page.html"], "a list shows no report"),
    ])
    func `what is kept is shown or listed and nothing else done`(words: [String], reason: String) async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless.call(["compare"] + words)
        #expect(outcome.status == .exited(125) && outcome.errorText.contains(reason), "\(outcome.errorText)")
    }

    @Test func `a bad workload is an error with its line`() async throws {
        let forkless = try TestForkless()
        try Files.replace(forkless.path("mix.yaml"), with: Array("programs:\n- command: [cat]\n  rate: often\n".utf8))
        let outcome = try await forkless.call(["compare", "--workload", forkless.path("mix.yaml")])
        #expect(outcome.status == .exited(125), "\(outcome.status)")
        #expect(
            outcome.errorText.contains("line 3: programs[0].rate: expected a number above 0"), "\(outcome.errorText)")
    }

    @Test(.enabled(if: isRoot)) func `the rungs of a node are measured, and nothing is left`() async throws {
        let forkless = try TestForkless()
        let python = try await PythonEnvironment.shared()
        let environment = [
            "FORKLESS_LAMBDA_LISTEN=off", "FORKLESS_HTTP_LISTEN=off", "FORKLESS_PYTHON_RUNTIMES=\(python.runtimes)",
        ]
        try await forkless.withNode(environment: environment) {
            let rungs = "container,standby,lambda,cold,zygote,warm"
            let words = [forkless.executable] + Self.short + ["--rungs", rungs, "--", "cat"]
            let outcome = try await CommandRunner.run(
                words, input: Array("a trade\n".utf8), environment: forkless.environment, within: .seconds(240))
            let report = try report(outcome)
            #expect(report.rungs.map(\.rung.name) == ["container", "standby", "lambda", "cold", "zygote", "warm"])
            for rung in report.rungs {
                #expect(rung.incomplete == nil, "\(rung.rung.name)")
                #expect(
                    rung.failures.isEmpty && rung.results.isIdentical,
                    "\(rung.rung.name): \(rung.failures) \(rung.results)")
                #expect(rung.latency.value != nil, "\(rung.rung.name)")
            }
            let cold = try #require(report.rungs.first { $0.rung.name == "cold" })
            let nothing = "nothing is kept ready"
            #expect(cold.idleMemory.explanation == nothing && cold.recovery.explanation == nothing)
            #expect(cold.density.explanation == nothing && cold.scale.explanation == nothing)
            for rung in report.rungs where rung.rung.name != "cold" {
                #expect((rung.idleMemory.value?.value ?? 0) > 50_000, "\(rung.rung.name): \(rung.idleMemory)")
                #expect(rung.recovery.value != nil, "\(rung.rung.name): \(rung.recovery)")
                // The probe is this executable, which is too large for a function's code in a debug build.
                if ["container", "standby"].contains(rung.rung.name) {
                    #expect(rung.isolation.value != nil, "\(rung.rung.name): \(rung.isolation)")
                }
                // An instance that is forked for its call cannot be held.
                guard rung.rung.name != "zygote" else { continue }
                #expect(rung.density.value?.points.last?.instances == 8, "\(rung.rung.name): \(rung.density)")
                #expect(rung.scale.value?.instances == 4, "\(rung.rung.name): \(rung.scale)")
            }
            #expect(outcome.status == .exited(0), "\(outcome.errorText)")
            #expect(try await functions(forkless) == [])
        }
    }

    @Test(.enabled(if: isRoot)) func `ctrl-C in a cold call leaves no function in the node`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode(environment: ["FORKLESS_LAMBDA_LISTEN=off", "FORKLESS_HTTP_LISTEN=off"]) {
            // A call lasts until it is interrupted, or counts as hanging.
            let line =
                "exec \(forkless.executable) compare --output json --rungs cold "
                + "-- sh -c 'cat >/dev/null; exec sleep 600' </dev/null"
            let running = Task {
                try await CommandRunner.run(
                    ["/bin/sh", "-c", line], environment: forkless.environment, within: .seconds(120))
            }
            try await eventually(within: .seconds(50), "a function was deployed") {
                try await !functions(forkless).isEmpty
            }
            try interrupt(forkless)
            let outcome = try await running.value
            #expect(outcome.status == .exited(130), "\(outcome.status) \(outcome.errorText)")
            #expect(try report(outcome).rungs.map(\.incomplete) == ["interrupted"])
            #expect(try await functions(forkless) == [])
        }
    }

    @Test(arguments: [
        (["--timeout", "25h"], "--timeout 25h: a call is not waited for longer than 24h"),
        (["--parent-memory", "4096t"], "--parent-memory 4096t: 4,096 TiB are more than the "),
    ])
    func `what no machine could do is refused before a node is started`(words: [String], reason: String) async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless.call(["compare", "--rungs", "container"] + words + ["--", "cat"])
        #expect(outcome.status == .exited(125), "\(outcome.status)")
        #expect(outcome.errorText.contains(reason), "\(outcome.errorText)")
        #expect(!outcome.errorText.contains("starting one"), "\(outcome.errorText)")
    }

    @Test(.enabled(if: isRoot)) func `Docker runs the same program beside`() async throws {
        try await DebianDocker.running { docker in
            let forkless = try TestForkless()
            let words = [
                forkless.executable, "compare", "--quick", "--output", "json", "--count", "2", "--repetitions", "2",
                "--rungs", "process", "--beside", "docker", "--", "cat",
            ]
            let outcome = try await CommandRunner.run(
                words, input: Array("a trade\n".utf8),
                environment: forkless.environment + ["DOCKER_HOST=\(docker.address)"], within: .seconds(300))
            let report = try report(outcome)
            #expect(report.leftOut.isEmpty, "\(report.leftOut)")
            let rung = try #require(report.rungs.first { $0.rung.name == "docker" })
            #expect(rung.incomplete == nil && rung.results == .identical, "\(rung.incomplete ?? "") \(rung.failures)")
            #expect(rung.latency.value != nil && rung.density.value != nil && rung.isolation.value != nil)
            #expect(rung.busyMemory.value != nil, "\(rung.busyMemory)")
            #expect(rung.cpuPerCall.explanation.contains("leaves its programs to another process"))
            // Nothing is left of it with the daemon.
            #expect(try await docker("ps", "-aq") == "")
            #expect(try await docker("images", "-q") == "")
        }
    }

    @Test(.enabled(if: isRoot)) func `runc runs the same program beside, and a tool that is not there is told`()
        async throws
    {
        let forkless = try TestForkless()
        let outcome = try await forkless.call(
            Self.short + ["--rungs", "process", "--beside", "runc,crun", "--", "cat"], input: "a trade\n")
        let report = try report(outcome)
        let runc = try #require(report.rungs.first { $0.rung.name == "runc" })
        #expect(runc.incomplete == nil && runc.results == .identical, "\(runc.incomplete ?? "") \(runc.failures)")
        #expect(runc.latency.value != nil && runc.density.value != nil && runc.isolation.value != nil)
        #expect(runc.busyMemory.value != nil && runc.cpuPerCall.value != nil, "\(runc.busyMemory) \(runc.cpuPerCall)")
        if !["/usr/bin", "/usr/local/bin", "/usr/sbin"].contains(where: { Files.isExecutableFile("\($0)/crun") }) {
            #expect(report.leftOut == ["crun: it is not installed here."])
        }
        #expect(try Files.list("/tmp").allSatisfy { !$0.hasPrefix("forkless-beside-") })
    }
}
