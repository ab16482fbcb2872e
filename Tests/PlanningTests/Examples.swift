import Comparison
import Linux

@testable import Observation
@testable import Planning

/// Programs, files and a machine for tests; whoever needs something else changes a copy.
enum Examples {
    static let machine = MachineFacts(
        name: "bank7", kernel: "6.1.0-18-amd64", processor: "AMD EPYC", processors: 2, memoryBytes: 8 << 30,
        hugePages: "madvise")

    /// Round figures, so that sums can be checked by eye.
    static let calibration = Calibration(
        machine: machine, at: Timestamp(nanoseconds: 1_800_000_000_000_000_000),
        spawn: .init(nanoseconds: 600_000, samples: 60, cpuNanoseconds: 500_000), emptyLifeNanoseconds: 400_000,
        forks: [
            .init(residentBytes: 0, timing: .init(nanoseconds: 700_000, samples: 60)),
            .init(residentBytes: 1 << 30, timing: .init(nanoseconds: 15_700_000, samples: 9)),
        ],
        container: .measured(.init(nanoseconds: 1_000_000, samples: 60, cpuNanoseconds: 600_000)),
        standby: .measured(.init(nanoseconds: 500_000, samples: 60, cpuNanoseconds: 400_000)),
        standbyIdleBytes: .measured(1 << 20), runtime: .measured(.init(nanoseconds: 200_000, samples: 60)),
        runtimeFirst: .measured(.init(nanoseconds: 30_000_000, samples: 9)),
        interpreters: [
            .init(
                name: "python3", path: "/usr/bin/python3",
                timing: .init(nanoseconds: 12_600_000, samples: 18, cpuNanoseconds: 11_000_000)),
            .init(name: "sh", path: "/usr/bin/sh", timing: .init(nanoseconds: 800_000, samples: 18)),
        ])

    /// Called a hundred times in ten seconds from a parent of 2 GiB, living 2.4 ms, always the same way.
    static func program(
        _ path: String = "/opt/bank/pricer", calls: Int = 100, lifetime: Int = 2_400_000, parentBytes: Int? = 2 << 30,
        _ change: (inout RecordedProgram) -> Void = { _ in }
    ) -> RecordedProgram {
        var program = RecordedProgram(.path(path))
        program.calls = calls
        program.callsPerSecond = Double(calls) / 10
        program.lifetime.add(lifetime, times: calls)
        program.cpu.add(2_000_000, times: calls)
        program.peakMemory.add(4 << 20, times: calls)
        program.exits = [.exited(0): calls]
        program.users = [1000: calls]
        program.directories = ["/opt/bank": calls]
        program.examples = [.init(arguments: [path], directory: "/opt/bank")]
        var sizes = Spread()
        if let parentBytes { sizes.add(parentBytes, times: calls) }
        program.callers = [.init(program: "/opt/bank/risk-engine", calls: calls, residentBytes: sizes, withoutFork: 0)]
        change(&program)
        return program
    }

    /// It reads standard input, and that is all.
    static let harmless: DeepFacts = {
        var deep = DeepFacts()
        deep.inheritedDescriptors = [
            .init(number: 0, target: "pipe:[1]", access: .read, isUsed: true),
            .init(number: 1, target: "pipe:[2]", access: .write, isUsed: true),
            .init(number: 2, target: "pipe:[3]", access: .write, isUsed: false),
        ]
        deep.files = [.init(path: "/etc/ld.so.cache", actions: [.read])]
        return deep
    }()

    static func traced(_ change: (inout DeepFacts) -> Void = { _ in }) -> RecordedProgram {
        program { program in
            var deep = harmless
            change(&deep)
            program.deep = deep
            program.tracedCalls = 1
        }
    }

    static let native = ProgramFile.found(.init(form: .elf(elf("/bin/true"))))

    static func elf(_ path: String) -> ELFFile { try! ELFFile(Files.read(path)) }

    static func plan(
        _ program: RecordedProgram, file: ProgramFile = native, calibration: Calibration = calibration
    ) -> ProgramPlan {
        Planner(calibration).plan(program, file: file)
    }
}
