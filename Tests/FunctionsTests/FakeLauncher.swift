import HTTPServing
import Lambda
import Linux
import Metering

@testable import Functions

/// Starts instances that are nothing but their events, as a script says. Confined to its loop.
final class FakeLauncher: InstanceLauncher {
    enum Start {
        /// Ready after a while.
        case ready(after: Duration)
        case fails(InstanceStartFailure)
        /// Ends without having said anything.
        case dies
        /// Not before it is told to.
        case never
    }

    /// Ends a running instance in the middle of whatever it does.
    func kill(_ index: Int) {
        let running = alive
        if !running.isEmpty { running[index % running.count].end("was killed by signal 9") }
    }

    /// Ends all calls that are under way, however long they would take.
    func finishCalls() {
        callTime = { _ in .zero }
        for instance in alive { instance.finishCalls() }
    }

    /// What becomes of the next instance, by its number.
    var start: (Int) -> Start = { _ in .ready(after: .zero) }
    /// How long a call takes.
    var callTime: (Invocation) -> Duration = { _ in .zero }
    /// What a call is answered with: its payload, unless something else is set.
    var answer: (Invocation) -> InvocationOutcome = { FakeLauncher.echo($0) }
    /// An instance ends when it was told to stop; false: only when `end` is called.
    var stopsAtOnce = true
    private(set) var instances: [FakeInstance] = []
    private(set) var forgotten: [DeployedFunction] = []
    /// The most memory and the most starts at a time there ever were.
    private(set) var peakMB = 0
    private(set) var peakStarts = 0
    /// The payloads in the order in which instances got them.
    var served: [String] = []
    /// Payloads that are with an instance now, and pairs that ever were at the same time.
    var underWay: [String] = []
    var overlaps: [(String, String)] = []

    var alive: [FakeInstance] { instances.filter { !$0.hasEnded } }

    func launch(
        _ function: DeployedFunction, isProvisioned: Bool, on loop: ServingLoop,
        events: @escaping (InstanceEvent) -> Void
    ) -> any FunctionInstance {
        let instance = FakeInstance(
            name: "\(function.name)-\(instances.count + 1)", function, isProvisioned: isProvisioned, loop, self, events)
        instances.append(instance)
        peakMB = max(peakMB, alive.reduce(0) { $0 + $1.function.memoryMB })
        peakStarts = max(peakStarts, alive.filter { $0.isStarting }.count)
        switch start(instances.count) {
        case .ready(let span): instance.later(span) { $0.becomeReady() }
        case .fails(let failure):
            instance.later(.zero) {
                $0.fail(failure)
                $0.end("exited with status 1")
            }
        case .dies: instance.later(.zero) { $0.end("was killed by signal 9") }
        case .never: break
        }
        return instance
    }

    func forget(_ function: DeployedFunction) { forgotten.append(function) }

    static func echo(_ invocation: Invocation) -> InvocationOutcome {
        var call = MeteredCall(
            requestID: invocation.requestID, function: invocation.function.name, version: invocation.function.version,
            invokedARN: invocation.invokedARN, source: "", arrivedAt: invocation.arrivedAtTime)
        call.durationMicroseconds = 1
        call.start = .warm
        return .answered(InvocationAnswer(payload: invocation.payload, contentType: "application/json", call: call))
    }

    static func error(_ invocation: Invocation) -> InvocationOutcome {
        guard case .answered(var answer) = echo(invocation) else { return echo(invocation) }
        answer.functionError = "Unhandled"
        answer.payload = Array(#"{"errorType":"E"}"#.utf8)
        answer.call.outcome = .functionError("E")
        return .answered(answer)
    }
}

final class FakeInstance: FunctionInstance {
    let name: String
    let function: DeployedFunction
    let isProvisioned: Bool
    private let loop: ServingLoop
    private unowned let launcher: FakeLauncher
    private let tell: (InstanceEvent) -> Void
    private(set) var isStarting = true
    private(set) var hasEnded = false
    /// It takes no more calls, and has not told so yet.
    var isEnding = false
    private(set) var stopReason: InstanceStopReason?
    private var calls: [Int: (Invocation, (InvocationOutcome) -> Void)] = [:]
    private(set) var servedCalls = 0

    init(
        name: String, _ function: DeployedFunction, isProvisioned: Bool, _ loop: ServingLoop, _ launcher: FakeLauncher,
        _ tell: @escaping (InstanceEvent) -> Void
    ) {
        self.name = name
        self.function = function
        self.isProvisioned = isProvisioned
        self.loop = loop
        self.launcher = launcher
        self.tell = tell
    }

    func later(_ span: Duration, _ work: @escaping (FakeInstance) -> Void) {
        let bound = LoopBound((self, work), on: loop)
        let run: @Sendable () -> Void = { bound.value.1(bound.value.0) }
        if span > .zero { loop.schedule(after: span, run) } else { loop.execute(run) }
    }

    func becomeReady() {
        guard isStarting, !hasEnded else { return }
        isStarting = false
        tell(.ready(InstanceReady(initMicroseconds: 1, start: .cold)))
    }

    func fail(_ failure: InstanceStartFailure) {
        isStarting = false
        tell(.failed(failure))
    }

    func invoke(_ invocation: Invocation, _ done: @escaping (InvocationOutcome) -> Void) {
        precondition(!isStarting && !hasEnded && stopReason == nil, "\(name) gets a call and is not ready")
        if isEnding { return done(.failed(.service("the instance is ending"))) }
        servedCalls += 1
        let text = String(decoding: invocation.payload, as: UTF8.self)
        launcher.served.append(text)
        for other in launcher.underWay { launcher.overlaps.append((other, text)) }
        launcher.underWay.append(text)
        let number = servedCalls
        calls[number] = (invocation, done)
        later(launcher.callTime(invocation)) { instance in
            guard instance.calls[number] != nil else { return }
            if let stream = invocation.stream {
                stream.begin("text/plain")
                for byte in invocation.payload { stream.part([byte]) }
            }
            instance.answer(number, instance.launcher.answer(invocation))
            if !instance.hasEnded { instance.tell(.free) }
        }
    }

    func finishCalls() {
        for (number, call) in calls.sorted(by: { $0.key < $1.key }) {
            answer(number, launcher.answer(call.0))
            if !hasEnded { tell(.free) }
        }
    }

    private func answer(_ number: Int, _ outcome: InvocationOutcome) {
        guard let (invocation, done) = calls.removeValue(forKey: number) else { return }
        let text = String(decoding: invocation.payload, as: UTF8.self)
        launcher.underWay.remove(at: launcher.underWay.firstIndex(of: text)!)
        guard invocation.stream != nil, case .answered(var answer) = outcome else { return done(outcome) }
        answer.payload = []
        done(.answered(answer))
    }

    func stop(_ reason: InstanceStopReason) {
        guard stopReason == nil else { return }
        stopReason = reason
        if launcher.stopsAtOnce { later(.zero) { $0.end("was stopped") } }
    }

    func end(_ how: String) {
        guard !hasEnded else { return }
        for (number, call) in calls.sorted(by: { $0.key < $1.key }) { answer(number, FakeLauncher.error(call.0)) }
        hasEnded = true
        isStarting = false
        tell(.ended(how))
    }
}
