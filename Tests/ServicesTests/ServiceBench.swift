import JSON
import KubeObjects
import Linux
import Networking
import TestKit
import Testing

@testable import Services

/// Numbers, and no judgement: FORKLESS_BENCH=1.
@Suite(.enabled(if: isRoot && OwnProcess.environment().contains("FORKLESS_BENCH=1")), .timeLimit(.minutes(5)), .serialized)
struct ServiceBench {
    @Test func `a service against its pod, and how long a change takes`() async throws {
        try await ServiceWorld.with { world in
            let (server, client) = (try await world.pod("server"), try await world.pod("client"))
            let directory = try TemporaryDirectory("bench-nginx")
            let configuration = directory.path("nginx.conf")
            try Files.replace(
                configuration,
                with: Array(
                    """
                    daemon off; worker_processes 1; pid \(directory.path("pid")); error_log /dev/null; events { worker_connections 4096; }
                    http { access_log off; keepalive_requests 10000000; server { listen 8080 backlog=4096; location / { return 200 "ok"; } } }
                    """.utf8))
            try await BackgroundServer.running(
                ServiceWorld.enter(server.namespace) + ["nginx", "-c", configuration], log: directory.path("log")
            ) { _ in
                try await world.service("web")
                try await world.endpoints("web", [server.endpoint])
                try await eventually { try await world.run(in: client.namespace, "curl", "-s", "http://10.96.1.1/").text == "ok" }
                for header in ["Connection: keep-alive", "Connection: close"] {
                    for _ in 0..<2 {
                        for address in ["\(server.address):8080", "10.96.1.1:80"] {
                            let text = try await world.run(
                                in: client.namespace, "wrk", "-t1", "-c32", "-d3", "-H", header, "http://\(address)/").text
                            let line = text.split(separator: "\n").first { $0.contains("Requests/sec") } ?? ""
                            print("BENCH \(header) \(address) \(line)")
                        }
                    }
                }
            }
            var made = 0
            for count in [0, 100, 1000] {
                defer { made = count }
                for number in made..<count {
                    try await world.service("s\(number)", address: "10.96.\(10 + number / 250).\(number % 250)")
                    try await world.endpoints("s\(number)", [server.endpoint])
                }
                try await eventually(within: .seconds(60)) {
                    count == 0 ? true : try await world.rules().contains("svc4/default/s\(count - 1)/")
                }
                var spans: [Duration] = []
                for round in 0..<15 {
                    let pod = "10.42.9.\(round + 1)"
                    try await world.endpoints("web", [Objects.endpoint(pod, uid: "u\(count)-\(round)")])
                    try await eventually { try await world.rules().contains("\(pod):8080") }
                    try await Task.sleep(for: .milliseconds(30))
                    let change = ContinuousClock.now
                    await world.router.withdraw(podUID: "u\(count)-\(round)", addresses: [], deadline: .now)
                    spans.append(ContinuousClock.now - change)
                }
                print("BENCH \(count) more services: a change is in the kernel after \(spans.sorted()[7])")
                try await compareWays(world, count)
            }
        }
    }

    /// The same change by nft and directly.
    private func compareWays(_ world: ServiceWorld, _ count: Int) async throws {
        let program = NFTProgram(machine: world.machine)
        let socket = try await world.machine.run { () throws(SystemError) in try PacketRuleSocket() }
        var (byProgram, direct): ([Duration], [Duration]) = ([], [])
        for round in 0..<20 {
            var difference = RuleDifference(table: "inet " + ServiceWorld.table)
            difference.declarations = ["endpoints4": "type ipv4_addr;"]
            if round % 2 == 0 { difference.come = ["endpoints4": ["10.42.8.8"]] } else { difference.gone = ["endpoints4": ["10.42.8.8"]] }
            let text = difference.text
            var start = ContinuousClock.now
            try await program.run(text)
            byProgram.append(ContinuousClock.now - start)
            var back = RuleDifference(table: difference.table)
            (back.come, back.gone, back.declarations) = (difference.gone, difference.come, difference.declarations)
            try await program.run(back.text)
            start = .now
            let batch = try #require(difference.batch)
            try await BlockingPool.shared.run { () throws(SystemError) in try socket.perform(batch) }
            direct.append(ContinuousClock.now - start)
        }
        print("BENCH \(count) more services: an entry by nft \(byProgram.sorted()[10]), directly \(direct.sorted()[10])")
    }
}
