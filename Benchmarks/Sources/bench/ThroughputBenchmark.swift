import Foundation

/// How many fully isolated programs one keeper starts and sees ended in a second, for as long as it is asked.
struct ThroughputBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    /// Clients at once, and how many sandboxes the keeper is asked to have waiting.
    private static let settings = [(1, 0), (2, 0), (4, 0), (1, 64), (2, 64), (4, 64)]

    func run() async throws -> Section {
        let keeper = try KeeperUnderTest(options)
        let root = try SmallRoot(in: keeper.directory, options)
        var rates = Self.settings.map { _ in [Double]() }
        for _ in 0..<options.count(5, quick: 2) {
            for (index, setting) in Self.settings.enumerated() {
                rates[index].append(try rate(keeper, root, clients: setting.0, prepared: setting.1))
            }
        }
        let resident = try keeper.memory("VmRSS")
        try keeper.stop()
        let medians = rates.map(Samples.median)
        let best = medians.indices.max { medians[$0] < medians[$1] }!
        return Section(
            title: "Isolated starts a second, sustained, start to exit",
            facts: Self.settings.indices.map { (Self.name($0), Self.rates(rates[$0])) }
                + [("keeper after it", "\(Text.figure(Double(resident) / 1e6)) MB resident")],
            findings: [
                Finding(
                    what: "isolated starts sustained, \(Self.name(best))", value: medians[best], unit: "a second",
                    bound: .atLeast, target: 800, range: nil)
            ])
    }

    /// Clients are made for each measurement: every connected one hears of every end, which costs the keeper.
    private func rate(
        _ keeper: KeeperUnderTest, _ root: SmallRoot, clients count: Int, prepared: Int
    ) throws -> Double {
        let clients = try (0..<count).map { _ in try keeper.client() }
        let template = try clients[0].ask("define", root.path)[0]
        try clients[0].ask("prepare", template, "\(prepared)")
        for client in clients { try client.send(["sustain", template, "\(options.count(3000, quick: 500))", "/noop"]) }
        return try clients.map { client in
            let answer = try client.numbers()
            return Double(answer[0]) / (Double(answer[1]) / 1e9)
        }.reduce(0, +)
    }

    private static func name(_ index: Int) -> String {
        let (clients, prepared) = settings[index]
        return "\(clients) client\(clients == 1 ? "" : "s"), \(prepared == 0 ? "nothing" : "\(prepared)") prepared"
    }

    private static func rates(_ values: [Double]) -> String {
        let sorted = values.sorted()
        return "\(Text.figure(Samples.median(values))) a second "
            + "(\(Text.figure(sorted.first!)) to \(Text.figure(sorted.last!)))"
    }
}
