import EventSources
import Functions
import Glibc
import HTTPServing
import Lambda
import Linux
import Metering
import Store
import TestKit
import Testing

/// Asynchronous events on the real invoker, ledger and book of keys: a key has one effect, whatever dies.
@Suite(.serialized) struct KeyedEventsTests {
    static let count = 2000

    @Test func `a key has no second effect once its answer is on the disk, also after kill -9`() async throws {
        let directory = try TemporaryDirectory("events")
        setenv("FORKLESS_TEST_KEYED", directory.path, 1)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let life = try await KeyedLife(String(cString: getenv("FORKLESS_TEST_KEYED")), run: "1", diesAt: 500)
            for number in 0..<KeyedEventsTests.count { try await life.accept(number) }
            try await life.events.start()
            try await Task.sleep(for: .seconds(120))
        }
        unsetenv("FORKLESS_TEST_KEYED")
        let atDeath = try DyingNode.effects(directory.path("effects"))
        #expect(atDeath.count == 500)

        let life = try await KeyedLife(directory.path, run: "2", diesAt: nil)
        try await life.events.start()
        try await life.untilDone()
        let effects = try DyingNode.effects(directory.path("effects"))
        #expect(Set(effects).count == Self.count, "every accepted event had its effect")
        // Only what was with an instance at the death may have come twice: its answer was never recorded.
        let repeated = Dictionary(grouping: effects, by: \.self).filter { $0.value.count > 1 }
        #expect(repeated.count <= 64 && repeated.values.allSatisfy { $0.count == 2 })
        #expect(repeated.keys.allSatisfy { atDeath.suffix(128).contains($0) })

        // A client that did not hear the answers sends everything again.
        for number in 0..<Self.count { try await life.accept(number) }
        try await life.untilDone()
        #expect(try DyingNode.effects(directory.path("effects")).count == effects.count)
        try await life.end()
    }
}

/// A node's life with instances whose effect is a line in a file.
final class KeyedLife: Sendable {
    let loops = ServingLoops(count: 1)
    let store: StateDatabase
    let ledger: Ledger
    let invoker: FunctionInvoker
    let events: AsyncEvents
    let outbox: Outbox
    let functions = KnownFunctions()

    init(_ path: String, run: String, diesAt: Int?) async throws {
        store = try StateDatabase(
            path: path + "/node.db", migrations: Metering.migrations + EventSourceTables.migrations)
        ledger = try await Ledger(store, headFile: path + "/head")
        let launcher = EffectLauncher(
            SharedFD(try Files.open(path + "/effects", O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)), diesAt: diesAt)
        invoker = FunctionInvoker(
            on: loops.loops[0], launcher: launcher, PlaneSettings(memoryMB: 4096, processors: 2), ledger: ledger,
            keys: KeyBook(ledger, run: run), capacity: ledger)
        functions.put("f") {
            $0.settings.key = .path("$.id")
            $0.settings.order = .path("$.account")
        }
        let queues = DurableQueues(store: store, place: QueuePlace(region: "us-east-1"))
        outbox = Outbox(store: store, queues: queues)
        let order = CallOrder()
        events = AsyncEvents(
            store: store, invoker: invoker, functions: functions, outbox: outbox, orderKey: { order.key(of: $0) })
    }

    func accept(_ number: Int) async throws {
        let arn = KnownFunctions.arn("f")
        try await events.accept(
            FunctionCall(
                requestID: "r\(number)", function: try functions.function(at: arn), invokedARN: arn,
                payload: Array(#"{"id":"\#(number)","account":"\#(number % 20)"}"#.utf8), source: "async", trace: "",
                arrivedAt: Clock.now()))
    }

    func untilDone() async throws {
        try await eventually(within: .seconds(120)) {
            try await store.read { transaction throws(StoreFailure) in
                try transaction.first("SELECT count(*) FROM async_event")!.integer(0)! == 0
            }
        }
    }

    func end() async throws {
        events.stop()
        outbox.stop()
        await invoker.close()
        try await ledger.close()
        await store.close()
        await loops.shutDown()
    }
}

/// Starts instances that are nothing but their effect.
final class EffectLauncher: InstanceLauncher {
    private let file: SharedFD
    private let diesAt: Int?
    private var effects = 0

    init(_ file: SharedFD, diesAt: Int?) {
        self.file = file
        self.diesAt = diesAt
    }

    func launch(
        _ function: DeployedFunction, isProvisioned: Bool, on loop: ServingLoop,
        events: @escaping (InstanceEvent) -> Void
    ) -> any FunctionInstance {
        let instance = EffectInstance(self, loop, events)
        instance.later { events(.ready(InstanceReady(initMicroseconds: 0, start: .cold))) }
        return instance
    }

    func forget(_ function: DeployedFunction) {}

    func effect(_ invocation: Invocation) {
        // {"id":"NUMBER", ...
        let number = invocation.payload.dropFirst(7).prefix { $0 != UInt8(ascii: "\"") }
        try? Files.writeAll(Array(number) + [10], to: file.raw)
        effects += 1
        if effects == diesAt { kill(getpid(), SIGKILL) }
    }
}

final class EffectInstance: FunctionInstance {
    let name = "effect"
    private let launcher: EffectLauncher
    private let loop: ServingLoop
    private let tell: (InstanceEvent) -> Void

    init(_ launcher: EffectLauncher, _ loop: ServingLoop, _ tell: @escaping (InstanceEvent) -> Void) {
        self.launcher = launcher
        self.loop = loop
        self.tell = tell
    }

    func invoke(_ invocation: Invocation, _ done: @escaping (InvocationOutcome) -> Void) {
        launcher.effect(invocation)
        later { [tell] in
            let call = MeteredCall(
                requestID: invocation.requestID, function: invocation.function.name,
                version: invocation.function.version,
                invokedARN: invocation.invokedARN, source: "", arrivedAt: invocation.arrivedAtTime)
            done(.answered(InvocationAnswer(payload: invocation.payload, call: call)))
            tell(.free)
        }
    }

    func stop(_ reason: InstanceStopReason) {
        later { [tell] in tell(.ended("was told to stop")) }
    }

    func later(_ work: @escaping () -> Void) {
        let bound = LoopBound(work, on: loop)
        loop.execute { bound.value() }
    }
}
