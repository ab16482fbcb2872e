internal import Engine
internal import HTTPServing
internal import Lambda
internal import JSON
internal import Keeper
internal import Linux
internal import Metering
internal import Sandbox
internal import Spawn

/// An instance whose program speaks the Runtime API, in a sandbox of its own.
///
/// Everything happens on its loop: requests of the program come there by HTTP, calls from the pool, and what the keeper
/// says is brought there. The session decides what is answered; this does it, watches the time and writes the log.
///
/// Invariants (with their tests in RuntimeInstanceTests)
/// 1. `.ended` comes once, last, and after the sandbox is gone. (`a killed instance answers its call and ends`)
/// 2. A call is answered once, whatever happens. (`each failure has the error that the service has`)
/// 3. A call that is over its time ends the instance with everything in it. (`a call over its time is answered and its tree is killed`)
final class RuntimeInstance: FunctionInstance {
    enum Phase { case starting, initializing, serving, stopping, ended }

    let surroundings: InstanceSurroundings
    var name: String { surroundings.name }
    var function: DeployedFunction { surroundings.function }
    var loop: ServingLoop { surroundings.loop }
    let api: RuntimeAPI
    private(set) var phase = Phase.starting
    var calls: [ActiveCall] = []
    private(set) var meter: InstanceMeter?
    private(set) var output: InstanceOutput?
    private var extensionOutput: InstanceOutput?
    private var listener: HTTPListener?
    private(set) var network: SharedFD?
    private var process: InstanceProcess?
    private let launchedAt: Instant
    private let launchedAtTime = Clock.now()
    private var initMicroseconds: Int?
    private var timer: (at: Instant, work: ScheduledWork)?
    private var startFailure: InstanceStartFailure?
    /// Why calls under way fail when the sandbox ends.
    private var cause: InstanceStartFailure?
    private var stopReason = InstanceStopReason.failure
    private var killing: ScheduledWork?
    var telemetry: TelemetryHub?

    init(_ surroundings: InstanceSurroundings, concurrency: Int) {
        self.surroundings = surroundings
        api = RuntimeAPI(concurrency: concurrency, randomID: InstanceSurroundings.randomUUID)
        launchedAt = surroundings.clock()
        api.host = self
    }

    var now: Instant { surroundings.clock() }

    // Starting.

    /// The network and the streams are there, and the program is about to be started.
    func prepared(_ process: InstanceProcess, _ network: consuming InstanceNetwork) {
        guard phase == .starting else { return }
        self.process = process
        output = process.output
        extensionOutput = process.extensionOutput
        self.network = network.namespace
        output?.beginCall(
            function.logsJSON
                ? function.text(of: initStartEvent) : LogLines.initStart(runtime: function.runtime.name))
        if !process.extensions.isEmpty { api.handle(.expect(process.extensions)) }
        do {
            listener = try HTTPListener.adopt(
                network.takeListener(), loop: loop, limits: Self.limits, service: api)
        } catch {
            return fail(InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "serve the Runtime API: \(error)"))
        }
        phase = .initializing
        setTimer(launchedAt + initLimit)
    }

    var initStartEvent: PlatformEvent {
        .initStart(function.name, version: function.version, kind: surroundings.kind, at: launchedAtTime)
    }

    /// What a runtime inside may send: `Lambda-Runtime-Function-XRay-Error-Cause` has up to 1 MB, an error in a trailer more.
    private static let limits: HTTPLimits = {
        var limits = HTTPLimits.patient
        limits.headBytes = 2 << 20
        limits.connections = 256
        return limits
    }()

    /// How long initialisation may take. The service stops an on-demand one after 10 s and begins anew as part of the
    /// call, with the call's time; here it goes on until then.
    private var initLimit: Duration {
        .seconds(max(surroundings.isProvisioned ? 130 : 10, function.timeoutSeconds))
    }

    /// The sandbox runs.
    func started(_ meter: InstanceMeter) {
        self.meter = meter
        // Stopped while it was being started: the kill that was sent then may have found nothing.
        if phase == .stopping || phase == .ended { process?.kill() }
    }

    /// It could not be started.
    func fail(_ failure: InstanceStartFailure) {
        guard phase != .ended else { return }
        if phase != .stopping {
            startFailure = failure
            reportInit(status: "error", failure.errorType)
        }
        ended(.unknown(failure.errorMessage), failure)
    }

    // Calls.

    func invoke(_ invocation: Invocation, _ done: @escaping (InvocationOutcome) -> Void) {
        guard phase == .serving, api.session.phase == .serving else {
            return done(.failed(.service("the instance \(name) is ending: ask again")))
        }
        let now = self.now
        var deadline = now + .seconds(function.timeoutSeconds)
        if let asked = invocation.deadline, asked < deadline { deadline = asked }
        let isFirst = initMicroseconds != nil
        let start: MeteredCall.Start =
            surroundings.isProvisioned ? .provisioned : isFirst ? process?.start ?? .cold : .warm
        calls.append(
            ActiveCall(
                invocation: invocation, startedAt: now, deadline: deadline, cpuBefore: meter?.cpuMicroseconds ?? 0,
                initMicroseconds: surroundings.isProvisioned ? nil : initMicroseconds, start: start, done: done))
        initMicroseconds = nil
        setTimer(deadline)
        sayStart(invocation.requestID)
        api.handle(.invoke(requestID: invocation.requestID))
    }

    private func sayStart(_ id: String) {
        if function.logsJSON || telemetry != nil {
            let event = PlatformEvent.start(requestID: id, version: function.version, at: Clock.now())
            telemetry?.add(event)
            if function.logsJSON { output?.beginCall(function.text(of: event)) }
        }
        if !function.logsJSON { output?.beginCall(LogLines.start(requestID: id, version: function.version)) }
    }

    /// A call is over: what it has printed is read, its report is written, and its caller is answered.
    func finish(_ call: ActiveCall, _ ending: ActiveCall.Ending, _ answer: RuntimeAnswer) {
        let now = self.now
        output?.catchUp()
        let metered = call.metered(
            ending, instance: name, meter: meter, answerBytes: answer.byteCount, now: now)
        if case .timedOut = ending {
            output?.say("\(PlatformEvent.time(Clock.now())) \(call.requestID) Task timed out after \(InstanceStartFailure.seconds(call.deadline - call.startedAt)) seconds")
        }
        sayEnd(metered, ending)
        let isError = if case .success = ending { false } else { true }
        call.done(
            .answered(
                InvocationAnswer(
                    payload: answer.body, contentType: answer.contentType, functionError: isError ? "Unhandled" : nil,
                    logTail: output?.tail ?? [], call: metered)))
    }

    private func sayEnd(_ call: MeteredCall, _ ending: ActiveCall.Ending) {
        let report = call.report(ending)
        if function.logsJSON || telemetry != nil {
            let time = Clock.now()
            let status = ending.status ?? (ending.errorType == nil ? "success" : "error")
            telemetry?.add(
                .runtimeDone(
                    requestID: call.requestID, status: status, errorType: ending.errorType,
                    microseconds: call.durationMicroseconds, bytes: call.answerBytes, at: time))
            let event = PlatformEvent.report(
                requestID: call.requestID, status: status, errorType: ending.errorType, metrics: report.metrics, at: time)
            telemetry?.add(event)
            if function.logsJSON, let text = function.text(of: event) { output?.say(text) }
        }
        guard !function.logsJSON else { return }
        output?.say(LogLines.end(requestID: call.requestID))
        output?.say(LogLines.report(report))
    }

    // Time.

    private func setTimer(_ at: Instant) {
        if let timer, timer.at <= at { return }
        timer?.work.cancel()
        let bound = LoopBound(self, on: loop)
        let work = loop.schedule(after: max(at - now, .zero)) { bound.value.timeIsUp() }
        timer = (at, work)
    }

    /// One timer for many calls: it looks which of them is over its time, and when the next one will be.
    private func timeIsUp() {
        timer = nil
        let now = self.now
        switch phase {
        case .initializing:
            guard launchedAt + initLimit <= now else { return setTimer(launchedAt + initLimit) }
            let failure = InstanceStartFailure.timedOut(after: initLimit)
            startFailure = failure
            reportInit(status: "timeout", nil)
            surroundings.events(.failed(failure))
            stop(.timeout)
        case .serving:
            let late = calls.filter { $0.deadline <= now }
            guard !late.isEmpty else {
                if let next = calls.map(\.deadline).min() { setTimer(next) }
                return
            }
            calls.removeAll { $0.deadline <= now }
            // First: nobody may give it another call in the place of these.
            stop(.timeout)
            for call in late {
                let failure = InstanceStartFailure.timedOut(after: call.deadline - call.startedAt)
                finish(
                    call, .timedOut,
                    RuntimeAnswer(kind: .error(failure.errorType), body: failure.body(requestID: call.requestID)))
                api.handle(.cancel(requestID: call.requestID))
            }
        case .starting, .stopping, .ended: break
        }
    }

    // Ending.

    func stop(_ reason: InstanceStopReason) {
        guard phase != .stopping, phase != .ended else { return }
        let (wasStarting, audience) = (phase == .starting, api.session.shutdownAudience)
        phase = .stopping
        stopReason = reason
        if wasStarting {
            // `started` or `fail` comes, and the end after it.
            process?.kill()
            return
        }
        let patience: Duration =
            audience.externals > 0 ? .milliseconds(2000) : api.session.hasExtensions ? .milliseconds(500) : .zero
        shutdownDeadline = Timestamp(nanoseconds: Clock.now().nanoseconds + patience.wholeNanoseconds)
        guard patience > .zero else {
            api.handle(.shutDown)
            process?.kill()
            return
        }
        kill(after: 10, of: patience / 10)
        // With the runtime's process external extensions would end before they are through.
        if audience.externals == 0 { process?.terminateRuntime() }
        api.handle(.shutDown)
    }

    /// In pieces, so that a machine that stands still takes one of them away and not all.
    private func kill(after pieces: Int, of span: Duration) {
        guard pieces > 0 else {
            process?.kill()
            return
        }
        let bound = LoopBound(self, on: loop)
        killing = loop.schedule(after: span) { bound.value.kill(after: pieces - 1, of: span) }
    }

    private(set) var shutdownDeadline = Timestamp(nanoseconds: 0)
    var reasonOfStop: InstanceStopReason { stopReason }

    /// The sandbox has ended.
    func ended(_ end: ProgramEnd, _ failure: InstanceStartFailure? = nil) {
        guard phase != .ended else { return }
        let before = phase
        phase = .ended
        timer?.work.cancel()
        killing?.cancel()
        output?.catchUp()
        let reason = cause ?? failure ?? .exit(end)
        if before == .starting || before == .initializing {
            if startFailure == nil || failure != nil {
                if failure == nil { reportInit(status: "error", reason.errorType) }
                surroundings.events(.failed(startFailure ?? reason))
            }
        }
        for call in calls {
            finish(
                call, .failed(reason),
                RuntimeAnswer(kind: .error(reason.errorType), body: reason.body(requestID: call.requestID)))
        }
        calls = []
        api.handle(.end)
        listener?.close()
        listener = nil
        network = nil
        telemetry?.close()
        telemetry = nil
        for output in [output, extensionOutput] { if let output { output.catchUp(); surroundings.logs.remove(output) } }
        meter = nil
        process = nil
        output = nil
        extensionOutput = nil
        surroundings.events(.ended(end.sentence))
    }

    /// An extension's process has ended.
    func extensionEnded(_ name: String, _ end: ProgramEnd) {
        api.handle(.extensionLeft(name: name))
        guard phase == .initializing || phase == .serving else { return }
        let how = if case .ended(let report) = end { report.status.asReason ?? "exit code 0" } else { "unknown" }
        telemetry?.add(.extensionState(name: name, state: "Exited", events: [], errorType: "Extension.Crash", at: Clock.now()))
        cause = InstanceStartFailure(errorType: "Extension.Crash", errorMessage: "extension \(name) ended: \(how)")
        process?.kill()
    }

    func reportInit(status: String, _ errorType: String?) {
        let microseconds = (now.nanoseconds - launchedAt.nanoseconds) / 1000
        if status != "success" {
            output?.catchUp()
            if !function.logsJSON {
                output?.say(LogLines.initReport(microseconds: microseconds, status: status, errorType: errorType))
            }
        }
        guard function.logsJSON && status != "success" || telemetry != nil else { return }
        let time = Clock.now()
        telemetry?.add(.initRuntimeDone(kind: surroundings.kind, status: status, errorType: errorType, at: time))
        let event = PlatformEvent.initReport(
            kind: surroundings.kind, status: status, errorType: errorType, microseconds: microseconds, at: time)
        telemetry?.add(event)
        if function.logsJSON, status != "success" { output?.say(JSONWriter.text(event.json)) }
    }

    // What the Runtime API asks, as far as it changes the instance.

    func becomeReady() {
        guard phase == .initializing else { return }
        phase = .serving
        timer?.work.cancel()
        timer = nil
        let microseconds = (now.nanoseconds - launchedAt.nanoseconds) / 1000
        initMicroseconds = microseconds
        process?.limitToShare()
        reportInit(status: "success", nil)
        surroundings.events(
            .ready(
                InstanceReady(
                    initMicroseconds: microseconds,
                    start: surroundings.isProvisioned ? .provisioned : process?.start ?? .cold)))
    }

    func isFree() { if phase == .serving { surroundings.events(.free) } }

    func failInit(_ failure: InstanceStartFailure) {
        guard phase == .initializing else { return }
        startFailure = failure
        reportInit(status: "error", failure.errorType)
        surroundings.events(.failed(failure))
        stop(.failure)
    }

    func failExtension(_ failure: InstanceStartFailure) {
        guard phase == .initializing || phase == .serving else { return }
        cause = failure
        process?.kill()
    }

    func allExtensionsDone() { if phase == .stopping { process?.kill() } }

    /// Where the instance prints, for whoever subscribes to its lines.
    var outputs: (function: InstanceOutput?, extensions: InstanceOutput?) { (output, extensionOutput) }
}

extension RuntimeSession {
    var hasExtensions: Bool { !extensions.isEmpty }
}

extension ProgramEnd {
    /// Completes "the instance ...".
    var sentence: String {
        switch self {
        case .ended(let report): report.outOfMemory ? "ran out of memory" : "\(report.status)"
        case .unknown(let reason): "was lost: \(reason)"
        }
    }
}

extension CallReport {
    /// `metrics` of platform.report.
    var metrics: JSONObject {
        var metrics: JSONObject = [
            "durationMs": PlatformEvent.milliseconds(durationMicroseconds),
            "billedDurationMs": .integer(Int64(billedMilliseconds)), "memorySizeMB": .integer(Int64(memoryMB)),
            "maxMemoryUsedMB": .integer(Int64(peakMB)),
        ]
        if let initMicroseconds { metrics["initDurationMs"] = PlatformEvent.milliseconds(initMicroseconds) }
        return metrics
    }
}
