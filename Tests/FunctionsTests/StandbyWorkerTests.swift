import Linux
import Synchronization
import TestKit
import Testing

@testable import Functions

@Suite struct StandbyWorkerTests {
    static func worker(
        _ provider: FakeProvider, minimum: Int = 1, maximum: Int = 4, clock: any PoolClock = MachineClock(),
        _ change: (inout PoolConfiguration) -> Void = { _ in }
    ) throws -> StandbyWorker {
        var configuration = PoolConfiguration(minimum: minimum, maximum: maximum)
        change(&configuration)
        return try StandbyWorker(program: "cat", configuration, provider, clock: clock)
    }

    @Test func `a call gets a waiting instance, and its end and cost`() async throws {
        let provider = FakeProvider()
        let worker = try Self.worker(provider)
        await worker.open()
        try await eventually("a ready copy") { await worker.counts.ready == 1 }
        let instance = try await worker.call()
        #expect(instance.handOver.wasReady)
        #expect(instance.handOver.startedIn != nil)
        async let record = instance.finish()
        provider.finish(
            instance.name,
            InstanceEnd(.ended(.exited(3)), userMicroseconds: 40, systemMicroseconds: 2, peakMemoryBytes: 4096))
        let end = await record
        #expect(end.end.outcome == .ended(.exited(3)))
        #expect(end.cpu == .microseconds(42))
        #expect(end.wasStandby)
        #expect(end.wall == end.queued + end.run)
        try await eventually("a successor") { await worker.counts.ready == 1 }
        await worker.drain()
        #expect(provider.debts == [])
        try await eventually("closing") { provider.state.withLock { $0.closings } == 1 }
    }

    @Test func `a cancelled call stops its program`() async throws {
        let provider = FakeProvider()
        let worker = try Self.worker(provider, maximum: 1)
        let instance = try await worker.call()
        let finishing = Task { await instance.finish() }
        finishing.cancel()
        let record = await finishing.value
        #expect(record.end.outcome == .ended(.signaled(9, coreDumped: false)))
        #expect(provider.wasStopped(instance.name))
        await worker.close()
        #expect(provider.debts == [])
    }

    @Test func `a cancelled caller gives up its place in the queue`() async throws {
        let provider = FakeProvider()
        let worker = try Self.worker(provider, maximum: 1)
        let first = try await worker.call()
        let second = Task { try await worker.call() }
        try await eventually("a waiting call") { await worker.counts.waiting == 1 }
        second.cancel()
        let error = await #expect(throws: PoolError.self) { try await second.value }
        #expect(error?.kind == .cancelled)
        #expect(await worker.counts.waiting == 0)
        provider.finish(first.name)
        await worker.drain()
        #expect(provider.debts == [])
    }

    @Test func `calls that race with cancellation return once`() async throws {
        let provider = FakeProvider()
        let worker = try Self.worker(provider, maximum: 3) { $0.startsAtOnce = 3 }
        var chance = SeededChance(seed: 11)
        var calls: [Task<Bool, Never>] = []
        for _ in 0..<300 {
            let call = Task {
                guard let instance = try? await worker.call() else { return false }
                provider.finish(instance.name)
                _ = await instance.finish()
                return true
            }
            calls.append(call)
            if Int.random(in: 0..<3, using: &chance) == 0 { await Task.yield() }
            if Bool.random(using: &chance), let victim = calls.randomElement(using: &chance) { victim.cancel() }
        }
        var served = 0
        for call in calls where await call.value { served += 1 }
        #expect(served > 0)
        await worker.drain()
        #expect(provider.debts == [])
        #expect(provider.state.withLock { $0.highestAlive } <= 3)
    }

    @Test func `twenty callers share four places`() async throws {
        let provider = FakeProvider()
        let worker = try Self.worker(provider, minimum: 0, maximum: 4) { $0.startsAtOnce = 1 }
        var callers: [Task<UInt64, any Error>] = []
        for number in 0..<20 {
            callers.append(
                Task {
                    let instance = try await worker.call()
                    provider.finish(instance.name)
                    _ = await instance.finish()
                    return instance.call.number
                })
            // Each has to be in the queue, or served, before the next comes.
            try await eventually("call \(number + 1)") { await worker.counts.calls == number + 1 }
        }
        var served: [UInt64] = []
        for caller in callers { served.append(try await caller.value) }
        #expect(served == Array(1...20))
        await worker.drain()
        #expect(provider.debts == [])
        #expect(provider.state.withLock { $0.highestAlive } <= 4)
    }

    @Test func `a program that cannot be started is an error that says why, after its attempts`() async throws {
        let provider = FakeProvider()
        provider.state.withLock { $0.failsToStart = "execute /no/such: No such file or directory (ENOENT)" }
        let worker = try Self.worker(provider) { $0.firstPause = .milliseconds(1) }
        let error = await #expect(throws: PoolError.self) { try await worker.call() }
        #expect(error?.kind == .cannotStandBy)
        #expect(
            error?.sentence == "call cat: it could not be started: execute /no/such: No such file or directory "
                + "(ENOENT), 3 times in a row: it cannot be kept on standby. Use --rung container.")
        await worker.close()
    }

    @Test func `a program that cannot be watched is an error that says why`() async throws {
        let provider = FakeProvider()
        provider.state.withLock { $0.cannotBeWatched = "open /proc/1/syscall: EPERM" }
        let worker = try Self.worker(provider) { $0.firstPause = .milliseconds(1) }
        let error = await #expect(throws: PoolError.self) { try await worker.call() }
        #expect(error?.sentence.contains("cannot be watched: open /proc/1/syscall: EPERM") == true)
        await worker.close()
        #expect(provider.debts == [])
    }

    @Test func `a program that ends at once is an error, and every instance of it is accounted for`() async throws {
        let provider = FakeProvider(isReadyAtOnce: false)
        provider.state.withLock { $0.endsAtOnce = true }
        let worker = try Self.worker(provider) { $0.firstPause = .milliseconds(1) }
        let error = await #expect(throws: PoolError.self) { try await worker.call() }
        #expect(error?.sentence.contains("it ended with status 0 before reading its input, 3 times") == true)
        await worker.close()
        #expect(provider.debts == [])
    }

    @Test func `the pool's timer runs on its clock`() async throws {
        let provider = FakeProvider(isReadyAtOnce: false)
        let time = StandingClock()
        let worker = try Self.worker(provider, minimum: 0, maximum: 1, clock: time) {
            $0.waitingTimeLimit = .seconds(5)
        }
        let call = Task { try await worker.call() }
        // The timer of the call, and the look at the copy that is starting.
        try await time.clock.untilSleeping(2)
        time.clock.advance(by: .seconds(5))
        let error = await #expect(throws: PoolError.self) { try await call.value }
        #expect(error?.kind == .waitedTooLong)
        let closing = Task { await worker.close() }
        try await eventually("the end of the copy") { provider.running.isEmpty }
        time.clock.advance(by: .seconds(1))
        await closing.value
        #expect(provider.debts == [])
    }

    @Test func `a configuration that makes no sense is refused, and the former stays`() async throws {
        let worker = try Self.worker(FakeProvider(), minimum: 0)
        let error = await #expect(throws: PoolError.self) {
            try await worker.configure(PoolConfiguration(minimum: 5, maximum: 2))
        }
        #expect(error?.sentence == "configure a standby pool: minimum 5 is above maximum 2")
        #expect(await worker.configuration.maximum == 4)
    }
}

@Suite struct FunctionRegistryTests {
    static func definition(_ name: String, _ program: String, minimum: Int = 1) -> FunctionDefinition {
        FunctionDefinition(name: name, program: program, pool: PoolConfiguration(minimum: minimum, maximum: 4))
    }

    /// Calls a function and lets its program end.
    static func call(
        _ registry: FunctionRegistry, _ definition: FunctionDefinition, _ provider: FakeProvider
    ) async throws {
        let instance = try await registry.call(definition)
        provider.finish(instance.name)
        _ = await instance.finish()
    }

    @Test func `equal programs share a pool`() async throws {
        let provider = FakeProvider()
        let made = Mutex(0)
        let registry = FunctionRegistry { _ in
            made.withLock { $0 += 1 }
            return provider
        }
        for _ in 1...3 { try await Self.call(registry, Self.definition("a", "cat"), provider) }
        try await Self.call(registry, Self.definition("a", "sort"), provider)
        #expect(made.withLock { $0 } == 2)
        let list = await registry.list()
        #expect(list.map(\.definition.program) == ["cat", "sort"])
        #expect(list.map(\.counts.calls) == [3, 1])
        await registry.close()
        let error = await #expect(throws: PoolError.self) { try await registry.call(Self.definition("a", "cat")) }
        #expect(error?.kind == .closed)
    }

    @Test func `a new program under a name replaces the old one, which ends its work`() async throws {
        let old = FakeProvider()
        let new = FakeProvider()
        let registry = FunctionRegistry { $0.program == "old" ? old : new }
        let instance = try await registry.call(Self.definition("f", "old"))
        try await registry.define(Self.definition("f", "new"))
        try await eventually("the old one to be leaving") {
            await registry.list().map(\.isDraining) == [false, true]
        }
        try await eventually("its spare copies to be gone") { old.running == [instance.name] }
        old.finish(instance.name)
        #expect(await instance.finish().end.outcome == .ended(.exited(0)))
        try await eventually("the old one to be gone") { await registry.list().count == 1 }
        await registry.close()
        #expect(old.debts == [])
    }

    @Test func `a changed configuration takes effect and keeps the pool`() async throws {
        let provider = FakeProvider()
        let registry = FunctionRegistry { _ in provider }
        try await registry.define(Self.definition("f", "cat", minimum: 1))
        try await registry.define(Self.definition("f", "cat", minimum: 3))
        try await eventually("three copies") { await registry.list().first?.counts.ready == 3 }
        try await registry.drain(name: "f")
        #expect(await registry.list().isEmpty)
        #expect(provider.debts == [])
        let error = await #expect(throws: PoolError.self) { try await registry.drain(name: "f") }
        #expect(error?.kind == .notFound)
    }

    @Test func `a function that has shrunk to nothing makes room`() async throws {
        let provider = FakeProvider()
        let registry = FunctionRegistry(limit: 2) { _ in provider }
        try await registry.define(Self.definition("idle", "cat", minimum: 0))
        try await registry.define(Self.definition("kept", "cat", minimum: 1))
        try await registry.define(Self.definition("new", "cat", minimum: 1))
        try await eventually("the idle one to be gone") {
            await registry.list().map(\.definition.name) == ["kept", "new"]
        }
        try await eventually("copies") { await registry.list().allSatisfy { $0.counts.ready == 1 } }
        let error = await #expect(throws: PoolError.self) {
            try await registry.define(Self.definition("one more", "cat"))
        }
        #expect(error?.kind == .tooManyFunctions)
        await registry.close()
        #expect(provider.debts == [])
    }
}
