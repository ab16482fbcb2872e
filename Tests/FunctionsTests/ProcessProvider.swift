import Linux
import Spawn
import Synchronization
import TestKit
import Testing

@testable import Functions

/// Instances that are plain child processes: real programs without a keeper.
final class ProcessProvider: InstanceProvider {
    private let template: Template
    private let running = Mutex<[String: RunningProgram]>([:])

    init(_ argv: [String]) throws {
        var options = Options()
        options.group = .own
        template = try Template(.name(argv[0]), arguments: Array(argv.dropFirst()), options: options)
    }

    func start() async throws(InstanceFailure) -> StartedInstance {
        do {
            let pipes = [try Files.pipe().ends(), try Files.pipe().ends(), try Files.pipe().ends()]
            let program = try template.start(
                input: .descriptor(pipes[0].reader.raw), output: .descriptor(pipes[1].writer.raw),
                error: .descriptor(pipes[2].writer.raw))
            let name = "process-\(program.pid)"
            running.withLock { $0[name] = program }
            return StartedInstance(
                name: name, pid: program.pid,
                streams: InstanceStreams(input: pipes[0].writer, output: pipes[1].reader, errors: pipes[2].reader))
        } catch {
            throw InstanceFailure("\(error)")
        }
    }

    func isWaitingForInput(_ instance: StartedInstance) async throws(InstanceFailure) -> Bool {
        do { return try ReadinessProbe.isWaitingForInput(pid: instance.pid) } catch {
            throw InstanceFailure("\(error)")
        }
    }

    func stop(_ instance: StartedInstance) async {
        let program = running.withLock { $0[instance.name] }
        do { try program?.killTree() } catch { Issue.record("\(error)") }
    }

    func end(of instance: StartedInstance) async -> InstanceEnd {
        guard let program = running.withLock({ $0[instance.name] }) else { return InstanceEnd(.unknown("no such one")) }
        do {
            let record = try await program.wait()
            running.withLock { $0[instance.name] = nil }
            return InstanceEnd(
                .ended(record.status), userMicroseconds: record.usage.userMicroseconds,
                systemMicroseconds: record.usage.systemMicroseconds, peakMemoryBytes: record.usage.peakResidentBytes)
        } catch {
            return InstanceEnd(.unknown("\(error)"))
        }
    }

    func close() async {}
}

/// Another provider, and the pids of what it started.
final class RememberingProvider: InstanceProvider {
    private let provider: any InstanceProvider
    private let started = Mutex<[Int32]>([])

    init(_ provider: any InstanceProvider) { self.provider = provider }

    var pids: [Int32] { started.withLock { $0 } }

    func start() async throws(InstanceFailure) -> StartedInstance {
        let instance = try await provider.start()
        started.withLock { $0.append(instance.pid) }
        return instance
    }

    func isWaitingForInput(_ instance: StartedInstance) async throws(InstanceFailure) -> Bool {
        try await provider.isWaitingForInput(instance)
    }

    func stop(_ instance: StartedInstance) async { await provider.stop(instance) }
    func end(of instance: StartedInstance) async -> InstanceEnd { await provider.end(of: instance) }
    func close() async { await provider.close() }
}

@Suite struct StandbyProcessTests {
    let programs = StandbyPrograms(provider: ProcessProvider.init)

    @Test func `every call gets a fresh waiting process`() async throws {
        try await programs.everyCallGetsAFreshWaitingProcess()
    }
    @Test func `answers are those of the programs`() async throws { try await programs.answersAreThoseOfThePrograms() }
    @Test func `a program that never reads is an error`() async throws {
        try await programs.aProgramThatNeverReadsIsAnError()
    }
    @Test func `twenty callers share four places`() async throws { try await programs.twentyCallersShareFourPlaces() }
    @Test func `a killed copy is replaced`() async throws {
        try await programs.aKilledCopyIsReplaced { pid in try ProcessFD(pid: pid).signal(Signal.kill) }
    }
}
