import Foundation

/// How many fully isolated programs one keeper starts and sees ended in a second, for as long as it is asked.
struct ThroughputBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        let keeper = try KeeperUnderTest(options)
        let root = try SmallRoot(in: keeper.directory, options)
        var clients: [LoadClient] = []
        for _ in 0..<4 { clients.append(try keeper.client()) }
        let template = try clients[0].ask("define", root.path)[0]
        try clients[0].ask("prepare", template, "64")
        var rates: [Int: [Double]] = [:]
        for _ in 0..<options.count(5, quick: 2) {
            for count in [1, 2, 4] {
                rates[count, default: []].append(try rate(Array(clients[..<count]), template))
            }
        }
        let resident = try keeper.memory("VmRSS")
        clients = []
        try keeper.stop()
        let medians = rates.mapValues { Samples.median($0) }
        let best = medians.max { $0.value < $1.value }!
        return Section(
            title: "Isolated starts a second, sustained, start to exit",
            facts: [1, 2, 4].map { count in
                let sorted = rates[count]!.sorted()
                return (
                    "\(count) client\(count == 1 ? "" : "s")",
                    "\(Text.figure(medians[count]!)) a second (\(Text.figure(sorted.first!)) to \(Text.figure(sorted.last!)))"
                )
            } + [("keeper after it", "\(Text.figure(Double(resident) / 1e6)) MB resident")],
            findings: [
                Finding(
                    what: "isolated starts sustained, \(best.key) clients", value: best.value, unit: "a second",
                    bound: .atLeast, target: 800, range: nil)
            ])
    }

    private func rate(_ clients: [LoadClient], _ template: String) throws -> Double {
        for client in clients { try client.send(["sustain", template, "\(options.count(3000, quick: 500))", "/noop"]) }
        return try clients.map { client in
            let answer = try client.numbers()
            return Double(answer[0]) / (Double(answer[1]) / 1e9)
        }.reduce(0, +)
    }
}
