import CBaselines
import Foundation
import Spawn
import Subprocess

/// Spawn and wait of a program that does nothing, from a small parent and from one with 8 GiB resident.
struct SpawnBenchmark {
    private let options: BenchOptions
    private let path: String
    private let arguments: ArgumentVector
    private let template: Template

    private static let largeBytes = 8 << 30

    init(_ options: BenchOptions) throws {
        self.options = options
        path = "\(options.examples)/noop"
        arguments = ArgumentVector([path])
        template = try Template(.path(path))
    }

    func run() async throws -> Section {
        var section = Section(title: "Spawn and wait of a static no-op")
        let rounds = options.count(12, quick: 3)
        let small = try await takeTurns(contenders(count: options.count(100, quick: 20)), rounds: rounds)
        section.samples = small
        let spawn = small[0]
        section.findings = [
            .slowness("Spawn over posix_spawn", spawn, over: small[1], atMost: 1.1),
            .speed("Spawn against swift-subprocess", spawn, against: small[2], atLeast: 2),
            .speed("Spawn against Foundation.Process, terminationHandler", spawn, against: small[3], atLeast: 2),
            .speed("Spawn against Foundation.Process, waitUntilExit", spawn, against: small[4], atLeast: 2),
        ]
        try await addLarge(to: &section)
        return section
    }

    /// The parent grows and shrinks again, round by round, so that small and large are compared side by side, too.
    private func addLarge(to section: inout Section) async throws {
        let needed = Self.largeBytes + 1 << 30
        guard MachineFacts.memory("MemAvailable") > needed else {
            section.notes.append(
                "nothing was measured from a parent with 8 GiB resident: less than \(needed >> 30) GiB of memory are free."
            )
            return
        }
        let count = options.count(100, quick: 20)
        let few = options.count(5, quick: 2)
        var large = contenders(count: count).map { Samples("\($0.name), 8 GiB parent") }
        var fork = Samples("fork and execv, 8 GiB parent")
        var small = Samples("Forkless Spawn, empty parent again")
        for _ in 0..<options.count(4, quick: 1) {
            small.add(try spawnForkless(count))
            guard let memory = baseline_resident(Self.largeBytes) else { throw BenchmarkError("take 8 GiB of memory") }
            defer { baseline_release(memory, Self.largeBytes) }
            for (index, contender) in contenders(count: count).enumerated() {
                _ = try await contender.measure(few)
                large[index].add(try await contender.measure(contender.count))
            }
            fork.add(try repeated(few) { baseline_fork_exec(arguments.pointer) })
        }
        section.samples += [small] + large + [fork]
        section.findings += [
            .slowness(
                "Spawn from a parent with 8 GiB over the same from an empty one", large[0], over: small, atMost: 1.1),
            .slowness("Spawn over posix_spawn, both from a parent with 8 GiB", large[0], over: large[1], atMost: 1.1),
            .speed("Spawn against fork and execv, from a parent with 8 GiB", large[0], against: fork, atLeast: 2),
        ]
    }

    private func contenders(count: Int) -> [Contender] {
        [
            Contender(name: "Forkless Spawn", count: count) { try spawnForkless($0) },
            Contender(name: "posix_spawn", count: count) { count in
                try repeated(count) { baseline_posix_spawn(arguments.pointer) }
            },
            Contender(name: "swift-subprocess 1.0.2", count: count, measure: spawnSubprocess),
            Contender(name: "Process, terminationHandler", count: count, measure: spawnFoundationAsync),
            Contender(name: "Process, waitUntilExit", count: count) { try spawnFoundation($0) },
            Contender(name: "Forkless Spawn, await wait()", count: count, measure: spawnForklessAsync),
        ]
    }

    private func repeated(_ count: Int, _ body: () -> CInt) throws -> [Int] {
        try (0..<count).map { _ in
            let begin = now()
            let status = body()
            let took = now() - begin
            guard status == 0 else { throw BenchmarkError("start \(path): status \(status)") }
            return took
        }
    }

    private func spawnForkless(_ count: Int) throws -> [Int] {
        try (0..<count).map { _ in
            let begin = now()
            let end = try template.start().waitBlocking()
            let took = now() - begin
            guard end.status == .exited(0) else { throw BenchmarkError("start \(path): \(end.status)") }
            return took
        }
    }

    private func spawnForklessAsync(_ count: Int) async throws -> [Int] {
        var times: [Int] = []
        for _ in 0..<count {
            let begin = now()
            let end = try await template.start().wait()
            times.append(now() - begin)
            guard end.status == .exited(0) else { throw BenchmarkError("start \(path): \(end.status)") }
        }
        return times
    }

    private func spawnSubprocess(_ count: Int) async throws -> [Int] {
        var times: [Int] = []
        let executable = Executable.path(.init(path))
        for _ in 0..<count {
            let begin = now()
            let result = try await Subprocess.run(
                executable, input: .currentStandardInput, output: .currentStandardOutput, error: .currentStandardError)
            times.append(now() - begin)
            guard result.terminationStatus.isSuccess else { throw BenchmarkError("start \(path): \(result)") }
        }
        return times
    }

    private func spawnFoundationAsync(_ count: Int) async throws -> [Int] {
        var times: [Int] = []
        let url = URL(fileURLWithPath: path)
        for _ in 0..<count {
            let begin = now()
            let process = Process()
            process.executableURL = url
            let status = try await withCheckedThrowingContinuation { (done: CheckedContinuation<CInt, any Error>) in
                process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
                do { try process.run() } catch { done.resume(throwing: error) }
            }
            times.append(now() - begin)
            guard status == 0 else { throw BenchmarkError("start \(path): \(status)") }
        }
        return times
    }

    private func spawnFoundation(_ count: Int) throws -> [Int] {
        let url = URL(fileURLWithPath: path)
        return try (0..<count).map { _ in
            let begin = now()
            let process = Process()
            process.executableURL = url
            try process.run()
            process.waitUntilExit()
            let took = now() - begin
            guard process.terminationStatus == 0 else { throw BenchmarkError("start \(path)") }
            return took
        }
    }
}
