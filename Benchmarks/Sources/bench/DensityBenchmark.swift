import CBaselines
import Foundation

/// Many idle sandboxes at once: what each costs Forkless, and whether the last starts as fast as the first.
struct DensityBenchmark {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> Section {
        let count = options.count(2000, quick: 200)
        let keeper = try KeeperUnderTest(options)
        let client = try keeper.client()
        let root = try SmallRoot(in: keeper.directory, options)
        let template = try client.ask("define", root.path)[0]
        let before = try keeper.memory("VmRSS")
        let machineBefore = MachineFacts.memory("MemAvailable")
        let plain = ArgumentVector(["\(root.path)/noop"])
        let calmBefore = try Self.plainStart(plain)
        let starts = try client.numbers(["idle", template, "\(count)", "\(keeper.directory)/logs", "/waiting"])
        let calmAfter = try Self.plainStart(plain)
        let after = try keeper.memory("VmRSS")
        let machineAfter = MachineFacts.memory("MemAvailable")
        let status = try client.numbers(["status"])
        guard status[0] == count else { throw BenchmarkError("\(count) sandboxes were started and \(status[0]) run") }
        let ended = try client.numbers(["end"])[0]
        guard ended == count else { throw BenchmarkError("\(ended) of \(count) idle programs ended as they should") }
        try keeper.stop()

        let edge = min(100, count / 2)
        var first = Samples("start of the first \(edge)")
        var last = Samples("start of the last \(edge)")
        first.add(Array(starts.prefix(edge)))
        last.add(Array(starts.suffix(edge)))
        let perSandbox = Double(after - before) / Double(count) / 1000
        return Section(
            title: "\(count) idle sandboxes alive at once, output logged",
            samples: [first, last],
            facts: [
                (
                    "posix_spawn of a no-op before the first and after the last",
                    "\(Text.time(calmBefore)), \(Text.time(calmAfter)): how much the machine itself has changed meanwhile"
                ),
                ("keeper, nothing running", "\(Text.figure(Double(before) / 1e6)) MB resident"),
                (
                    "keeper, \(count) running",
                    "\(Text.figure(Double(after) / 1e6)) MB resident, \(status[5]) descriptors"
                ),
                (
                    "machine's memory per sandbox, the kernel's and the program's included",
                    "\(Text.figure(Double(machineBefore - machineAfter) / Double(count) / 1000)) KB"
                ),
            ],
            findings: [
                Finding(
                    what: "the keeper, nothing running", value: Double(before) / 1e6, unit: "MB resident",
                    bound: .atMost,
                    target: 6, range: nil),
                Finding(
                    what: "the keeper's own memory per idle sandbox", value: perSandbox, unit: "KB", bound: .atMost,
                    target: 100, range: nil),
                .slowness("start of the last \(edge) over the first \(edge)", last, over: first, atMost: 1.3),
            ])
    }

    /// First and last are apart in time, so something that Forkless has no part in is measured at both.
    private static func plainStart(_ arguments: ArgumentVector) throws -> Double {
        let times = try (0..<200).map { _ in
            let begin = now()
            guard baseline_posix_spawn(arguments.pointer) == 0 else { throw BenchmarkError("a no-op failed") }
            return now() - begin
        }
        return Samples.percentile(times.sorted(), 50)
    }
}
