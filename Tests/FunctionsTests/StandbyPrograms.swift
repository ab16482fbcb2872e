import Linux
import TestKit
import Testing

@testable import Functions

/// What standbys of real programs do, whoever provides the instances: the contract of every `InstanceProvider`.
struct StandbyPrograms: Sendable {
    /// A provider of instances of `argv`.
    var provider: @Sendable (_ argv: [String]) async throws -> any InstanceProvider

    func worker(_ argv: [String], minimum: Int = 1, maximum: Int = 4) async throws -> StandbyWorker {
        var configuration = PoolConfiguration(minimum: minimum, maximum: maximum)
        configuration.firstPause = .milliseconds(10)
        return try StandbyWorker(program: argv[0], configuration, try await provider(argv))
    }

    struct Answer {
        var pid: Int32
        var output: String
        var errors: String
        var record: CallRecord
        var wasReady: Bool
    }

    /// One call: writes the input, reads what comes, waits for the end.
    func call(_ worker: StandbyWorker, _ input: String) async throws -> Answer {
        let instance = try await worker.call()
        let (source, sink) = (instance.streams.takeOutput(), instance.streams.takeErrors())
        let writer = instance.streams.takeInput()
        try await BlockingPool.shared.run { () throws(SystemError) in
            // Everybody here writes less than a pipe holds.
            try Files.writeAll(Array(input.utf8), to: writer.raw)
        }
        withExtendedLifetime(consume writer) {}
        let output = try await BlockingPool.shared.run { () throws(SystemError) in try Files.readAll(source.raw) }
        let errors = try await BlockingPool.shared.run { () throws(SystemError) in try Files.readAll(sink.raw) }
        return Answer(
            pid: instance.pid, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self), record: await instance.finish(),
            wasReady: instance.handOver.wasReady)
    }

    func everyCallGetsAFreshWaitingProcess() async throws {
        let worker = try await worker(["cat"])
        await worker.open()
        var pids: Set<Int32> = []
        for number in 1...5 {
            try await eventually("a ready copy") { await worker.counts.ready > 0 }
            let answer = try await call(worker, "call \(number)\n")
            #expect(answer.output == "call \(number)\n")
            #expect(answer.wasReady)
            #expect(answer.record.end.outcome == .ended(.exited(0)))
            #expect(answer.record.end.peakMemoryBytes > 0)
            #expect(pids.insert(answer.pid).inserted)
        }
        #expect(await worker.counts.coldCalls == 0)
        await worker.drain()
    }

    func answersAreThoseOfThePrograms() async throws {
        let cases: [([String], String, String, Int32)] = [
            (["sort", "-n"], "10\n9\n", "9\n10\n", 0),
            (["sh", "-c", "read x; echo $x; echo no >&2; exit 7"], "word\n", "word\n", 7),
            (["python3", "-c", "import sys; print(sys.stdin.read().upper(), end='')"], "abc\n", "ABC\n", 0),
        ]
        for (argv, input, output, status) in cases where CommandRunner.find(argv[0]) != nil {
            let worker = try await worker(argv)
            let answer = try await call(worker, input)
            #expect(answer.output == output)
            #expect(answer.record.end.outcome == .ended(.exited(status)))
            if status == 7 { #expect(answer.errors == "no\n") }
            await worker.close()
        }
    }

    func aProgramThatNeverReadsIsAnError() async throws {
        let worker = try await worker(["true"])
        let error = await #expect(throws: PoolError.self) { try await worker.call() }
        #expect(
            error?.sentence == "call true: it ended with status 0 before reading its input, 3 times in a row: "
                + "it cannot be kept on standby. Use --rung container.")
        await worker.close()
    }

    func twentyCallersShareFourPlaces() async throws {
        let worker = try await worker(["cat"], minimum: 2, maximum: 4)
        let answers = try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            for number in 1...20 { group.addTask { (number, try await call(worker, "\(number)")) } }
            return try await group.reduce(into: [Int: Answer]()) { $0[$1.0] = $1.1 }
        }
        for (number, answer) in answers { #expect(answer.output == "\(number)") }
        #expect(Set(answers.values.map(\.pid)).count == 20)
        await worker.drain()
    }

    /// - Parameter kill: kills a process from outside.
    func aKilledCopyIsReplaced(_ kill: (Int32) throws -> Void) async throws {
        let provider = RememberingProvider(try await provider(["cat"]))
        var configuration = PoolConfiguration(minimum: 1, maximum: 4)
        configuration.firstPause = .milliseconds(10)
        let worker = try StandbyWorker(program: "cat", configuration, provider)
        await worker.open()
        try await eventually("a ready copy") { await worker.counts.ready == 1 }
        let first = try #require(provider.pids.first)
        try kill(first)
        try await eventually("its successor") { provider.pids.count == 2 }
        try await eventually("a ready copy") { await worker.counts.ready == 1 }
        #expect(try await call(worker, "healed").output == "healed")
        #expect(await worker.counts.lastFailure == "cat was killed by SIGKILL before reading its input")
        await worker.drain()
    }
}
