import EventSources
import Functions
import JSON
import Lambda
import Linux
import Metering
import Store
import Synchronization
import TestKit

/// A clock of the day that stands still until a test moves it.
final class ManualDay: EventClock {
    private struct State {
        var now = Timestamp("2026-11-29T12:00:00Z")!
        var work: [(at: Timestamp, run: @Sendable () -> Void)] = []
        var step = Duration.zero
    }

    private let state = Mutex(State())

    var now: Timestamp {
        state.withLock { state in
            state.now = state.now + state.step
            return state.now
        }
    }

    /// From now on each look moves time forward, as if the machine stood still before it.
    func move(by step: Duration) { state.withLock { $0.step = step } }

    func at(_ time: Timestamp, _ work: @escaping @Sendable () -> Void) {
        // What is due already is done at the next move, or by a thread that comes at once: here by a task.
        let isDue = state.withLock { state in
            if time <= state.now { return true }
            state.work.append((time, work))
            return false
        }
        if isDue { Task { work() } }
    }

    /// Moves time forward and does what is due, in order.
    func advance(by span: Duration) {
        let end = now + span
        while true {
            let next = state.withLock { state -> (@Sendable () -> Void)? in
                guard let index = state.work.indices.min(by: { state.work[$0].at < state.work[$1].at }),
                    state.work[index].at <= end
                else {
                    state.now = end
                    return nil
                }
                let work = state.work.remove(at: index)
                state.now = max(state.now, work.at)
                return work.run
            }
            guard let next else { return }
            next()
        }
    }
}

/// Answers calls as a test says, and remembers them.
final class ScriptedInvoker: Invoker {
    typealias Script = @Sendable (FunctionCall, _ number: Int) -> InvocationOutcome?

    private struct State {
        var calls: [FunctionCall] = []
        var held: [(FunctionCall, @Sendable (InvocationOutcome) -> Void)] = []
        var running = 0
        var peak = 0
        /// Those whose caller has been told of their end.
        var ended = 0
    }

    private let state = Mutex(State())
    /// In a box: a closure that goes in and out of a generic place gets another thunk around it each time.
    private struct Scripted {
        var script: Script
    }

    private let scripted: Mutex<Scripted>

    /// A script that gives nil holds the call until `release`.
    init(_ script: @escaping Script = { call, _ in .success(of: call) }) { scripted = Mutex(Scripted(script: script)) }

    func use(_ script: @escaping Script) { scripted.withLock { $0.script = script } }

    var calls: [FunctionCall] { state.withLock { $0.calls } }
    var payloads: [String] { calls.map { String(decoding: $0.payload, as: UTF8.self) } }
    var heldCount: Int { state.withLock { $0.held.count } }
    var peak: Int { state.withLock { $0.peak } }
    /// Whether no call is under way.
    var isIdle: Bool { state.withLock { $0.ended == $0.calls.count } }

    func invoke(_ call: FunctionCall, _ done: @escaping @Sendable (InvocationOutcome) -> Void) {
        let number = state.withLock { state in
            state.calls.append(call)
            state.running += 1
            state.peak = max(state.peak, state.running)
            return state.calls.count
        }
        guard let outcome = scripted.withLock({ $0.script })(call, number) else {
            return state.withLock { $0.held.append((call, done)) }
        }
        // Never inside the call, as the real one.
        Task { finish(done, outcome) }
    }

    /// Ends the calls that are held.
    func release(_ outcome: @Sendable (FunctionCall) -> InvocationOutcome = { .success(of: $0) }) {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for (call, done) in held { finish(done, outcome(call)) }
    }

    private func finish(_ done: @Sendable (InvocationOutcome) -> Void, _ outcome: InvocationOutcome) {
        state.withLock { $0.running -= 1 }
        done(outcome)
        state.withLock { $0.ended += 1 }
    }
}

extension InvocationOutcome {
    static func success(of call: FunctionCall, _ answer: String = #""ok""#, key: String? = nil) -> InvocationOutcome {
        var metered = MeteredCall(
            requestID: call.requestID, function: call.function.name, version: call.function.version,
            invokedARN: call.invokedARN, source: call.source, arrivedAt: call.arrivedAt)
        metered.key = key
        return .answered(InvocationAnswer(payload: Array(answer.utf8), call: metered))
    }

    static func functionError(of call: FunctionCall, _ message: String = "no luck") -> InvocationOutcome {
        guard case .answered(var answer) = success(of: call, #"{"errorMessage":"\#(message)","errorType":"Bad"}"#)
        else {
            preconditionFailure()
        }
        answer.functionError = "Unhandled"
        answer.call.outcome = .functionError("Bad")
        return .answered(answer)
    }

    static let throttled = InvocationOutcome.failed(.tooManyRequests("Rate Exceeded.", reason: "test"))
    static let broken = InvocationOutcome.failed(.service("The machine is on fire."))
}

/// Functions by name, without a catalogue.
final class KnownFunctions: FunctionLookup {
    private let settings = Mutex<[String: EventInvokeSettings]>([:])
    private let functions = Mutex<[String: DeployedFunction]>([:])

    init(_ names: [String] = ["f"]) {
        for name in names { put(name) }
    }

    static func arn(_ name: String) -> String { LambdaAccount().function(name) }

    func put(_ name: String, _ change: (inout DeployedFunction) -> Void = { _ in }) {
        var function = DeployedFunction(
            name: name, version: "$LATEST", arn: Self.arn(name), revision: name, codeDigest: "", runtime: .bootstrap)
        change(&function)
        functions.withLock { $0[name] = function }
    }

    func remove(_ name: String) { functions.withLock { $0[name] = nil } }

    func set(_ name: String, _ change: (inout EventInvokeSettings) -> Void) {
        settings.withLock { change(&$0[name, default: EventInvokeSettings()]) }
    }

    func function(at arn: String) throws(LambdaFailure) -> DeployedFunction {
        let name = try FunctionReference(arn).name
        guard let function = functions.withLock({ $0[name] }) else { throw .notFound("Function not found: \(arn)") }
        return function
    }

    func invokeSettings(at arn: String) -> EventInvokeSettings {
        (try? FunctionReference(arn)).flatMap { name in settings.withLock { $0[name.name] } } ?? EventInvokeSettings()
    }
}

/// Everything that event sources are made of, on a database of the test's own.
final class EventBench: Sendable {
    let directory: TemporaryDirectory
    let store: StateDatabase
    let clock: ManualDay
    let invoker: ScriptedInvoker
    let functions: KnownFunctions
    let queues: DurableQueues
    let outbox: Outbox
    let events: AsyncEvents
    let mappings: EventSourceMappings
    static let account = LambdaAccount()

    init(
        in directory: TemporaryDirectory? = nil, clock: ManualDay = ManualDay(),
        invoker: ScriptedInvoker = ScriptedInvoker(),
        functions: KnownFunctions = KnownFunctions(), queue: AsyncQueue = AsyncQueue()
    ) throws {
        self.directory = try directory ?? TemporaryDirectory("events")
        store = try StateDatabase(path: self.directory.path("node.db"), migrations: EventSourceTables.migrations)
        self.clock = clock
        self.invoker = invoker
        self.functions = functions
        queues = DurableQueues(store: store, place: QueuePlace(region: "us-east-1"), clock: clock)
        outbox = Outbox(store: store, queues: queues, clock: clock)
        let order = CallOrder()
        events = AsyncEvents(
            store: store, invoker: invoker, functions: functions, outbox: outbox, clock: clock, queue: queue,
            orderKey: { order.key(of: $0) })
        mappings = EventSourceMappings(
            store: store, events: events, queues: queues, invoker: invoker, functions: functions, account: Self.account,
            clock: clock)
    }

    func start() async throws {
        try await queues.start()
        try await events.start()
    }

    func stop() async {
        mappings.stop()
        events.stop()
        outbox.stop()
        await store.close()
    }

    /// Opens the same database again, as after the node's death.
    func reopened(invoker: ScriptedInvoker? = nil) throws -> EventBench {
        try EventBench(
            in: directory, clock: clock, invoker: invoker ?? ScriptedInvoker(), functions: functions)
    }

    func call(_ payload: String, of name: String = "f", order: String? = nil) throws -> FunctionCall {
        var call = FunctionCall(
            requestID: "id-\(payload)", function: try functions.function(at: KnownFunctions.arn(name)),
            invokedARN: KnownFunctions.arn(name), payload: Array(payload.utf8), source: "async", trace: "",
            arrivedAt: clock.now)
        call.orderKey = order
        return call
    }

    func accept(_ payload: String, of name: String = "f", order: String? = nil) async throws {
        try await events.accept(try call(payload, of: name, order: order))
    }

    func rows(_ table: String) async throws -> Int {
        try await store.read { transaction throws(StoreFailure) in
            try transaction.first("SELECT count(*) FROM \(table)")!.integer(0)!
        }
    }

    /// Waits until no call is under way and none begins by itself.
    func untilIdle() async throws {
        try await eventually("nothing is under way") {
            let calls = invoker.calls.count
            guard invoker.isIdle else { return false }
            // The writer does one thing after the other: an end is written, somebody looks for what it has made
            // visible, and has begun a call by the third turn.
            for _ in 0..<3 { try await store.write { _ throws(StoreFailure) in () } }
            return invoker.isIdle && invoker.calls.count == calls
        }
    }

    // MARK: Queues

    /// When the first of all messages becomes visible.
    func firstVisible() async throws -> Timestamp {
        try await store.read { transaction throws(StoreFailure) in
            Timestamp(nanoseconds: try transaction.first("SELECT min(visible_at) FROM queue_message")!.integer(0)!)
        }
    }

    func makeQueue(_ name: String, _ attributes: [String: String] = [:]) async throws {
        var attributes = attributes
        if name.hasSuffix(".fifo") { attributes["FifoQueue"] = "true" }
        try await answer { queues.create(name, attributes: attributes, tags: [:], $0) }
    }

    func send(_ body: String, to queue: String, group: String? = nil, id: String? = nil) async throws {
        var message = NewMessage(body)
        message.group = group
        message.deduplicationID = id ?? group.map { "\($0)-\(body)" }
        let results = try await answer { queues.send([message], to: queue, $0) }
        _ = try results[0].get()
    }

    func receive(
        _ queue: String, _ maximum: Int = 10, wait: Int = 0, visibility: Int? = nil, oneGroup: Bool = false
    ) async throws -> [ReceivedMessage] {
        var wish = Receiving(queue)
        wish.maximum = maximum
        wish.waitSeconds = wait
        wish.visibilitySeconds = visibility
        wish.oneGroup = oneGroup
        let asked = wish
        return try await answer { queues.receive(asked, $0) }
    }

    func delete(_ messages: [ReceivedMessage], from queue: String) async throws {
        let failures = try await answer { queues.delete(messages.map(\.receipt), from: queue, $0) }
        if let failure = failures.compactMap(\.self).first { throw failure }
    }

    func count(_ queue: String) async throws -> [Int] {
        let texts = try await answer { queues.attributes(of: queue, $0) }
        return ["", "NotVisible", "Delayed"].map { Int(texts["ApproximateNumberOfMessages" + $0]!)! }
    }

    func answer<Value: Sendable>(_ ask: (@escaping DurableQueues.Answer<Value>) -> Void) async throws -> Value {
        try await withCheckedContinuation { continuation in ask { continuation.resume(returning: $0) } }.get()
    }
}

func mapping(
    _ arn: String, id: String = "m1", _ change: (inout EventSourceMapping) -> Void = { _ in }
) throws -> EventSourceMapping {
    var mapping = EventSourceMapping(
        id: id, sourceARN: arn, source: try EventSource(arn: arn, account: LambdaAccount()),
        function: FunctionReference(name: "f"), functionARN: KnownFunctions.arn("f"))
    if case .queue = mapping.source {} else { mapping.batchSize = 1 }
    change(&mapping)
    return mapping
}
