import Foundation

/// The benchmarks behind PROMISES.md. `make bench` builds what they measure and runs them.
@main
enum Bench {
    static func main() async {
        do {
            try await run(try BenchOptions(Array(CommandLine.arguments.dropFirst())))
        } catch {
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Prints at once, also into a file that somebody follows.
    private static func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// What is being measured now, for who waits. Not part of the report.
    static func progress(_ text: String) { FileHandle.standardError.write(Data(("... " + text + "\n").utf8)) }

    private static func run(_ options: BenchOptions) async throws {
        let began = Date()
        let machine = MachineFacts()
        say(machine.text)
        if options.quick { say("A quick run: few samples, to see that everything works. Quote no number of it.") }
        var sections: [Section] = []
        for part in options.parts {
            let section = try await part.run(options)
            sections.append(section)
            say(section.text)
        }
        let path = try Report(machine: machine, quick: options.quick, began: began, sections: sections)
            .write(to: options.output)
        let findings = sections.flatMap(\.findings)
        say("\n\(findings.filter(\.isMet).count) of \(findings.count) promises met. Everything measured: \(path)")
    }
}

/// The parts of a run, in order.
enum BenchPart: String, CaseIterable {
    case spawn, container, throughput, standby, density, unpack, containers, oci, functions, observe, preload, shim,
        kubernetes, dashboard, measuring

    func run(_ options: BenchOptions) async throws -> Section {
        switch self {
        case .spawn: try await SpawnBenchmark(options).run()
        case .container: try await ContainerBenchmark(options).run()
        case .throughput: try await ThroughputBenchmark(options).run()
        case .standby: try await StandbyBenchmark(options).run()
        case .containers: try await ContainersBenchmark(options).run()
        case .oci: try await OCIBenchmark(options).run()
        case .functions: try await FunctionsBenchmark(options).run()
        case .unpack: try await UnpackBenchmark(options).run()
        case .preload: try await PreloadBenchmark(options).run()
        case .density: try await DensityBenchmark(options).run()
        case .observe: try await ObserveBenchmark(options).run()
        case .shim: try await ShimBenchmark(options).run()
        case .kubernetes: try KubernetesBenchmark(options).run()
        case .dashboard: try await DashboardBenchmark(options).run()
        case .measuring: try await MeasuringBenchmark(options).run()
        }
    }
}

/// What the command line says.
struct BenchOptions {
    var quick = false
    var parts = BenchPart.allCases
    /// Where forkless-keeper and forkless-load are.
    var programs = "../.build/release"
    /// Where the examples' programs are.
    var examples = "../.build/examples"
    var output = "../.build/bench"

    static let usage = """
        usage: bench [--quick] [--only PART[,PART...]] [--programs DIR] [--examples DIR] [--output DIR]
        parts: \(BenchPart.allCases.map(\.rawValue).joined(separator: ", "))
        """

    init(_ arguments: [String]) throws {
        var rest = arguments.makeIterator()
        while let option = rest.next() {
            func value() throws -> String {
                guard let value = rest.next() else { throw BenchmarkError("\(option) needs a value\n\(Self.usage)") }
                return value
            }
            switch option {
            case "--quick": quick = true
            case "--only":
                parts = try value().split(separator: ",").map { name in
                    guard let part = BenchPart(rawValue: String(name)) else {
                        throw BenchmarkError("no part is called \(name)\n\(Self.usage)")
                    }
                    return part
                }
            case "--programs": programs = try Self.absolute(value())
            case "--examples": examples = try Self.absolute(value())
            case "--output": output = try Self.absolute(value())
            default: throw BenchmarkError("unknown option \(option)\n\(Self.usage)")
            }
        }
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    /// So many, or few in a quick run.
    func count(_ full: Int, quick few: Int) -> Int { quick ? few : full }
}
