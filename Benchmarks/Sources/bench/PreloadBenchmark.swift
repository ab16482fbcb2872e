import Foundation

/// What starting a program costs parents with 8 GiB resident, unmodified, with libforkless-spawn.so and without.
struct PreloadBenchmark {
    private let options: BenchOptions
    private let library: String
    private let directory: String

    /// The first starts of a place are ordinary forks, from which the library learns.
    private static let learning = 5

    init(_ options: BenchOptions) throws {
        self.options = options
        library = "\(options.examples)/../shim/libforkless-spawn.so"
        directory = NSTemporaryDirectory() + "forkless-bench-preload-\(UUID().uuidString)"
        guard FileManager.default.fileExists(atPath: library) else {
            throw BenchmarkError("measure the preloaded library: \(library) is not there; `make shim` builds it")
        }
    }

    func run() async throws -> Section {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let mib = Self.mebibytes()
        var section = Section(
            title: "Starting programs from parents with \(mib) MiB resident, libforkless-spawn.so preloaded")
        if mib < 8192 { section.notes.append("8 GiB are promised; this machine has memory free for \(mib) MiB.") }
        let ways: [(name: String, measure: (Bool, Int) throws -> [Int], target: Double?)] = [
            ("legacy engine in C, fork and execv", { try engine(mib, preloaded: $0, count: $1) }, 100),
            ("Python, subprocess with preexec_fn", { try python(mib, "preexec", preloaded: $0, count: $1) }, 100),
            ("Python, os.fork and os.execv", { try python(mib, "fork", preloaded: $0, count: $1) }, 100),
            ("Python, os.system", { try python(mib, "system", preloaded: $0, count: $1) }, nil),
        ]
        for way in ways {
            var plain = Samples("\(way.name), plain")
            var preloaded = Samples("\(way.name), preloaded")
            for _ in 0..<options.count(3, quick: 1) {
                plain.add(try way.measure(false, options.count(10, quick: 3)))
                preloaded.add(try way.measure(true, options.count(150, quick: 30)))
            }
            section.samples += [plain, preloaded]
            if let target = way.target {
                section.findings.append(.speed("\(way.name): preloaded", preloaded, against: plain, atLeast: target))
            }
        }
        return section
    }

    /// 8 GiB, or what there is in whole GiB with two to spare.
    private static func mebibytes() -> Int { min(8, max(1, MachineFacts.memory("MemAvailable") >> 30 - 2)) << 10 }

    private func environment(_ preloaded: Bool) -> [String] { preloaded ? ["LD_PRELOAD=\(library)"] : [] }

    /// From before fork until execv has succeeded, as the engine itself reports.
    private func engine(_ mib: Int, preloaded: Bool, count: Int) throws -> [Int] {
        let trades = "\(directory)/trades.csv"
        let timing = "\(directory)/timing.csv"
        let book = try Command.output(["\(options.examples)/make-trades", "\(count + Self.learning)"])
        try Data(book.utf8).write(to: URL(fileURLWithPath: trades))
        _ = try Command.output(
            environment(preloaded) + [
                "\(options.examples)/risk-engine", "--trades", trades, "--results", "\(directory)/results.csv",
                "--timing",
                timing, "--cache-mib", "\(mib)", "--pricer", "\(options.examples)/pricer",
            ])
        let lines = try String(contentsOfFile: timing, encoding: .utf8).split(separator: "\n").dropFirst()
        return try times(lines.map { $0.prefix { $0 != "," } + "000" }, count)
    }

    /// From before the start until the child was waited for, as the program itself reports.
    private func python(_ mib: Int, _ way: String, preloaded: Bool, count: Int) throws -> [Int] {
        let program = "\(options.examples)/noop"
        let script = "\(options.examples)/../../Benchmarks/Programs/spawning-parent.py"
        let text = try Command.output(
            environment(preloaded) + ["python3", script, "\(mib)", way, "\(count + Self.learning)", program])
        return try times(text.split(separator: "\n"), count)
    }

    private func times(_ texts: [Substring], _ count: Int) throws -> [Int] {
        let numbers = texts.compactMap { Int($0) }.dropFirst(Self.learning)
        guard numbers.count == count else {
            throw BenchmarkError("measure \(count) starts: \(numbers.count) times were reported")
        }
        return Array(numbers)
    }
}
