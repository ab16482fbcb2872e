import Daemon
import Dashboard
import Engine
import HTTPServing
import JSON
import Linux
import Spawn
import TestKit
import Testing

/// A node that is measured by a real Prometheus.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct PrometheusTests {
    /// A node that serves its pages, and how they are asked for.
    private struct MeasuredNode {
        let node: FunctionNode
        let loops: ServingLoops
        let address: HTTPAddress

        func get(_ path: String, _ headers: [(String, String)] = []) async throws -> HTTPResponse {
            try await HTTPCall(to: address, on: loops.loops[0], timeout: .seconds(60)).answer(
                to: HTTPRequest(method: "GET", target: path, headers: HeaderFields([("Host", "\(address)")] + headers)))
        }

        func metrics() async throws -> String { String(decoding: try await get("/metrics").body, as: UTF8.self) }
    }

    private func withNode(_ flags: [String] = [], _ body: (MeasuredNode) async throws -> Void) async throws {
        let node = try FunctionNode()
        let program = try await node.launch(["--lambda-listen", "off", "--http-listen", "127.0.0.1:0"] + flags)
        let loops = ServingLoops(count: 1)
        func end() async throws {
            try await node.end(program)
            try await node.close()
            await loops.shutDown()
        }
        do {
            let said = try node.said()
            let place = try #require(said.split(separator: "\n").first { $0.contains("function URLs are at http://") })
            let address = try #require(HTTPAddress(String(place.split(separator: "/").last!.dropLast())))
            try await body(MeasuredNode(node: node, loops: loops, address: address))
        } catch {
            try await end()
            throw error
        }
        try await end()
    }

    /// A program whose path would end a label, a line and a page, and is longer than anybody wants to read.
    private func hostilePrograms(_ node: FunctionNode) throws -> [String] {
        var directory = node.test.directory.path("evil")
        for number in 0..<14 { directory += "/" + String(repeating: "x", count: 240) + "\(number)" }
        try Files.makeDirectories(directory)
        let short = node.test.directory.path("<script>alert(1)<\n\u{1b}[2J\"} 1")
        try Files.makeDirectories(short)
        for place in [directory, short] { try Files.replace(place + "/cat", with: Files.read("/bin/cat", limit: 1 << 20), mode: 0o755) }
        return [short + "/cat", directory + "/cat"]
    }

    @Test func `a real Prometheus scrapes a node, hostile names and all, and answers questions`() async throws {
        try await withNode { measured in
            let node = measured.node
            try await node.deploy("upper", program: "tr a-z A-Z")
            for _ in 0..<7 { #expect(try await node.call("POST", "/2015-03-31/functions/upper/invocations", Array("\"a\"".utf8)).status == 200) }
            for evil in try hostilePrograms(node) {
                let ran = try await CommandRunner.run(
                    [
                        try TestNode.forkless(), "run", "--state", node.test.settings.state, "--run", node.test.settings.run, "--rung",
                        "function", "-i", evil,
                    ], input: Array("hello".utf8))
                #expect(ran.text == "hello", "\(ran.errorText)")
            }
            try await check(try await measured.metrics(), node.test.directory)
            try await withPrometheus(scraping: measured, in: node.test.directory) { ask in
                // What is asked after that is of the same scrape: one that came late would take the answers away.
                try await eventually(within: .seconds(60), "Prometheus has scraped") {
                    try await ask("up{job=\"forkless\"}").first?.value == "1"
                }
                #expect(try await ask("sum(forkless_calls_total{workload=\"upper\",outcome=\"success\"})").first?.value == "7")
                #expect(try await ask("forkless_call_duration_seconds_bucket{workload=\"upper\",le=\"+Inf\"}").first?.value == "7")
                #expect(try await ask("forkless_pool_calls_total{workload=\"upper\",found=\"miss\"}").first != nil)
                #expect(try await ask("forkless_keeper_up").first?.value == "1")
                #expect(Double(try await ask("process_resident_memory_bytes{job=\"forkless\"}").first?.value ?? "") ?? 0 > 1e6)
                #expect(try await ask("forkless_store_commit_seconds_count{database=\"node\"} > 0").count == 1)
                // What was in the name is in the label, as it can be shown, and made no other series.
                let pools = try await ask("forkless_pool_waiting_calls{kind=\"standby\"}")
                #expect(pools.count == 2)
                let names = pools.compactMap { $0.labels["workload"] }
                #expect(names.contains { $0.contains("<script>alert(1)<\n\\x1b[2J\"} 1") }, "\(names)")
                #expect(names.contains { $0.contains("…#") && $0.utf8.count <= 256 }, "\(names)")
                #expect(try await ask("count({__name__=~\"forkless_.+\"})").first.flatMap { Int($0.value) } ?? 0 > 80)
                #expect(try await ask("scrape_samples_post_metric_relabeling{job=\"forkless\"} == scrape_samples_scraped").count == 1)
            }
        }
    }

    @Test func `a node that is overloaded is scraped, and shows its pages`() async throws {
        try await withNode { measured in
            let node = measured.node
            try await node.deploy("busy", program: "sh -c 'cat >/dev/null; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo 1'")
            let isOver = Published(false)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<32 {
                    group.addTask {
                        var refused = 0
                        while !isOver.value {
                            let status = try await node.call("POST", "/2015-03-31/functions/busy/invocations", Array("1".utf8)).status
                            if status != 200 { refused += 1 }
                        }
                        return refused
                    }
                }
                let token = try DashboardToken.open(state: node.test.settings.state).text
                for _ in 0..<10 {
                    for page in ["/dashboard", "/dashboard/workloads"] {
                        let shown = try await measured.get(page, [("Authorization", "Bearer \(token)")])
                        let text = String(decoding: shown.body, as: UTF8.self)
                        // It may be too busy for it, and says so.
                        #expect(shown.status == 200 || shown.status == 503, "\(page): \(shown.status) \(text)")
                        #expect(shown.status == 503 ? !text.isEmpty : text.contains("<h1"), "\(page): \(text)")
                    }
                    let answer = try await measured.get("/metrics")
                    #expect(answer.status == 200)
                    #expect(String(decoding: answer.body, as: UTF8.self).contains("\nforkless_concurrent_calls "))
                }
                isOver.set(true)
                for try await refused in group { #expect(refused == 0) }
            }
            try await check(try await measured.metrics(), node.test.directory)
        }
    }

    @Test func `every metric of a node is described in docs slash metrics, and no other`() async throws {
        try await withNode(["--kubernetes-listen", "127.0.0.1:0"]) { measured in
            let node = measured.node
            try await node.deploy("upper", program: "tr a-z A-Z")
            #expect(try await node.call("POST", "/2015-03-31/functions/upper/invocations", Array("\"a\"".utf8)).status == 200)
            try await node.call("GET", "/forkless/v1/ledger/verify", .null)
            try await eventually("all that is found in its own time has been found") {
                let text = try await measured.metrics()
                return text.contains("forkless_images_size_bytes ") && text.contains("forkless_keeper_start_time_seconds ")
                    && text.contains("forkless_state_disk_free_bytes ")
            }
            let documented = try MetricsDocument.read()
            let shown = ShownMetrics(try await measured.metrics())
            #expect(Set(shown.types.keys).subtracting(documented.types.keys).sorted() == [], "exposed and not described")
            #expect(Set(documented.types.keys).subtracting(shown.types.keys).sorted() == [], "described and not exposed")
            for (name, type) in shown.types { #expect(documented.types[name] == type, "\(name)") }
            for (name, labels) in shown.labels {
                #expect(labels.subtracting(documented.labels[name] ?? []).sorted() == [], "labels of \(name)")
            }
        }
    }

    /// What Prometheus' own tool says of a text.
    private func check(_ text: String, _ directory: TemporaryDirectory) async throws {
        let outcome = try await CommandRunner.run(["promtool", "check", "metrics"], input: Array(text.utf8))
        #expect(outcome.status.isSuccess, "\(outcome.errorText)\(outcome.text)")
        #expect(outcome.text + outcome.errorText == "")
    }

    private struct Found {
        var labels: [String: String]
        var value: String
    }

    private func withPrometheus(
        scraping measured: MeasuredNode, in directory: TemporaryDirectory, _ body: ((String) async throws -> [Found]) async throws -> Void
    ) async throws {
        let socket = try InternetSocket.bind(.stream, to: InternetEndpoint(IPAddress("127.0.0.1")!, 0))
        let port = try InternetSocket.local(socket.raw)!.port
        _ = consume socket
        try directory.write(
            """
            global: {scrape_interval: 5s, scrape_timeout: 5s}
            scrape_configs:
              - job_name: forkless
                static_configs: [{targets: ['\(measured.address)']}]
            """, to: "prometheus.yml")
        var options = Options()
        options.standardInput = .null
        options.standardOutput = .null
        options.standardError = .null
        let prometheus = try Template(
            "prometheus",
            arguments: [
                "--config.file=\(directory.path("prometheus.yml"))", "--storage.tsdb.path=\(directory.path("tsdb"))",
                "--web.listen-address=127.0.0.1:\(port)",
            ], options: options
        ).start()
        func end() async throws {
            try prometheus.signal(Signal.kill)
            _ = try await prometheus.wait()
        }
        do {
            try await body { question in
                let query = question.utf8.map { byte in
                    let digits = String(byte, radix: 16)
                    return "%" + (digits.count < 2 ? "0" : "") + digits
                }.joined()
                guard
                    let answer = try? await HTTPCall(to: .tcp("127.0.0.1", port), on: measured.loops.loops[0], timeout: .seconds(30))
                        .answer(
                            to: HTTPRequest(
                                method: "GET", target: "/api/v1/query?query=\(query)", headers: HeaderFields([("Host", "127.0.0.1")])))
                else { return [] }
                let result = (try? JSONParser.parse(answer.body))?["data"]?["result"]?.array ?? []
                return result.map { one in
                    Found(
                        labels: one["metric"].flatMap { [String: String](json: $0) } ?? [:],
                        value: one["value"]?.array?.last?.string ?? "")
                }
            }
        } catch {
            try await end()
            throw error
        }
        try await end()
    }
}

/// What a scrape shows.
private struct ShownMetrics {
    var types: [String: String] = [:]
    /// Names of labels by family, but for a histogram's bounds.
    var labels: [String: Set<String>] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# TYPE "), words.count == 4 { types[String(words[2])] = String(words[3]) }
        }
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let brace = line.firstIndex(of: "{"), let end = line.lastIndex(of: "}") else { continue }
            let name = String(line[..<brace])
            let family = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
            let key = family.flatMap { types[$0] == nil ? nil : $0 } ?? name
            let inner = line[line.index(after: brace)..<end]
            let names = inner.matches(of: /(?:^|,)([a-z_]+)="/).map { String($0.1) }
            labels[key, default: []].formUnion(names.filter { $0 != "le" })
        }
    }
}

/// The table of docs/metrics.md: `| name | type | labels | meaning |`.
private struct MetricsDocument {
    var types: [String: String] = [:]
    var labels: [String: Set<String>] = [:]

    static func read() throws -> MetricsDocument {
        var file = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        file = "/" + file + "/docs/metrics.md"
        var document = MetricsDocument()
        for line in try Files.readText(file).split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.filter { $0 != "`" && $0 != " " } }
            document.types[cells[0]] = cells[1]
            document.labels[cells[0]] = Set(cells[2].split(separator: ",").map(String.init))
        }
        return document
    }
}
