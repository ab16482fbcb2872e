internal import Engine
internal import HTTPServing
internal import JSON
internal import Keeper
internal import Lambda
internal import Linux
internal import Metering
internal import Sandbox
internal import Spawn

/// A copy of an unchanged program that waits at its first read, for one call: the call's input is written to it, what it
/// prints is the answer, and how it ends is the outcome.
///
/// It is ready as soon as it runs: a call that comes before the program reads finds its input in the pipe when it does.
/// One that is kept ahead of calls is ready when it is seen waiting, and failed when it ends before.
///
/// Invariants (with their tests in StdioInstanceTests)
/// 1. A copy serves one call, and `.ended` follows it. (`every call gets a process of its own`)
/// 2. The answer is what the program printed until it ended, not less; a program that fails has no answer.
///    (`a program that fails is an error with its last words`)
final class StdioInstance: FunctionInstance {
    enum Phase { case starting, warming, ready, busy, stopping, ended }

    let surroundings: InstanceSurroundings
    var name: String { surroundings.name }
    private var phase = Phase.starting
    private var streams: InstanceStreams?
    private var errors: InstanceOutput?
    private var pid: Int32 = 0
    private var call: ActiveCall?
    private var timer: ScheduledWork?
    private var pipeEnds: [Task<Void, Never>] = []
    private let launchedAt: Instant
    private var initMicroseconds = 0
    /// Both are needed for an answer: all output, and how the program ended.
    private var answer: Result<[UInt8], InstanceStartFailure>?
    private var end: ProgramEnd?
    private var cause: ActiveCall.Ending?

    init(_ surroundings: InstanceSurroundings) {
        self.surroundings = surroundings
        launchedAt = surroundings.clock()
    }

    private var now: Instant { surroundings.clock() }
    private var function: DeployedFunction { surroundings.function }

    // Starting.

    func started(pid: Int32, _ streams: InstanceStreams, _ errors: InstanceOutput) {
        self.streams = streams
        self.errors = errors
        self.pid = pid
        if let end {
            // It was faster than the keeper's answer.
            self.end = nil
            phase = .warming
            return ended(end)
        }
        guard phase == .starting else { return kill() }
        phase = .warming
        if surroundings.isProvisioned { lookWhetherItWaits(.milliseconds(1)) } else { becomeReady() }
    }

    private func lookWhetherItWaits(_ pause: Duration) {
        let bound = LoopBound(self, on: surroundings.loop)
        timer = surroundings.loop.schedule(after: pause) {
            let instance = bound.value
            guard instance.phase == .warming else { return }
            // Where the kernel does not say, a copy that runs has to do.
            if (try? ReadinessProbe.isWaitingForInput(pid: instance.pid)) ?? true { return instance.becomeReady() }
            instance.lookWhetherItWaits(min(pause * 2, .milliseconds(64)))
        }
    }

    private func becomeReady() {
        phase = .ready
        timer?.cancel()
        initMicroseconds = (now.nanoseconds - launchedAt.nanoseconds) / 1000
        surroundings.events(
            .ready(InstanceReady(initMicroseconds: initMicroseconds, start: surroundings.isProvisioned ? .standby : .cold)))
    }

    func fail(_ failure: InstanceStartFailure) {
        guard phase != .ended else { return }
        if phase != .stopping { surroundings.events(.failed(failure)) }
        finishAll(.failed(failure), [])
        close("was not started: \(failure.errorMessage)")
    }

    // The call.

    func invoke(_ invocation: Invocation, _ done: @escaping (InvocationOutcome) -> Void) {
        guard phase == .ready, let streams else {
            return done(.failed(.service("the copy \(name) has ended: ask again")))
        }
        let now = self.now
        var deadline = now + .seconds(function.timeoutSeconds)
        if let asked = invocation.deadline, asked < deadline { deadline = asked }
        let isWaiting = (try? ReadinessProbe.isWaitingForInput(pid: pid)) ?? false
        call = ActiveCall(
            invocation: invocation, startedAt: now, deadline: deadline, cpuBefore: 0,
            initMicroseconds: surroundings.isProvisioned || isWaiting ? nil : initMicroseconds,
            start: isWaiting ? .standby : .cold, done: done)
        phase = .busy
        errors?.beginCall(
            function.logsJSON
                ? function.text(
                    of: PlatformEvent.start(requestID: invocation.requestID, version: function.version, at: Clock.now()))
                : LogLines.start(requestID: invocation.requestID, version: function.version))
        let bound = LoopBound(self, on: surroundings.loop)
        timer = surroundings.loop.schedule(after: max(deadline - now, .zero)) { bound.value.timeIsUp() }
        let source: StdioInput.Source
        do {
            source = try StdioInput.source(
                of: invocation.payload, function.settings.input, isFromDirectory: invocation.source == "directory")
        } catch { return refuse(error.problem) }
        let (input, output, loop) = (streams.takeInput(), streams.takeOutput(), surroundings.loop)
        pipeEnds = [
            Task {
                do throws(SystemError) { await StdioPipes.write(try await StdioInput.read(source), to: input) } catch {
                    let problem = "\(error)"
                    loop.execute { bound.value.refuse(problem) }
                }
            },
            Task {
                let answer = await StdioPipes.readAll(output, limit: AnswerLimits.bufferedBytes)
                loop.execute { bound.value.answered(answer) }
            },
        ]
    }

    /// The input cannot be had: the program is not asked.
    private func refuse(_ problem: String) {
        guard call != nil else { return }
        finishAll(.functionError("Function.InvalidInput"), InstanceStartFailure.body("Function.InvalidInput", problem))
        stop(.failure)
    }

    private func answered(_ answer: Result<[UInt8], InstanceStartFailure>) {
        self.answer = answer
        if case .failure(let failure) = answer {
            finishAll(.functionError(failure.errorType), InstanceStartFailure.body(failure.errorType, failure.errorMessage))
            return stop(.failure)
        }
        settle()
    }

    private func timeIsUp() {
        guard phase == .busy, let call else { return }
        let failure = InstanceStartFailure.timedOut(after: call.deadline - call.startedAt)
        finishAll(.timedOut, failure.body(requestID: call.requestID))
        stop(.timeout)
    }

    func stop(_ reason: InstanceStopReason) {
        guard phase != .stopping, phase != .ended else { return }
        phase = .stopping
        if end != nil { return settle() }
        kill()
    }

    private func kill() {
        let (sandboxes, name) = (surroundings.sandboxes, name)
        Task { await sandboxes.kill(name) }
    }

    /// The program has ended.
    func ended(_ end: ProgramEnd) {
        self.end = end
        // Its streams are on their way.
        guard phase != .starting else { return }
        if phase == .warming {
            surroundings.events(.failed(notWaiting(end)))
            return close(end.sentence)
        }
        settle()
    }

    private func notWaiting(_ end: ProgramEnd) -> InstanceStartFailure {
        var failure = InstanceStartFailure.exit(end)
        errors?.catchUp()
        let words = String(decoding: errors?.tail ?? [], as: UTF8.self)
        failure.errorMessage += ", before it read its standard input" + (words.isEmpty ? "" : ": \(words)")
        return failure
    }

    private func settle() {
        guard let end, phase != .ended else { return }
        guard let call, phase == .busy else { return close(end.sentence) }
        guard case .success(let bytes) = answer else { return }
        if case .ended(let report) = end, report.status == .exited(0) {
            finishAll(.success, bytes)
        } else {
            let failure = InstanceStartFailure.exit(end)
            finishAll(.failed(failure), exitBody(failure, call.requestID))
        }
        close(end.sentence)
    }

    /// The error with the program's last words.
    private func exitBody(_ failure: InstanceStartFailure, _ id: String) -> [UInt8] {
        errors?.catchUp()
        let lines = String(decoding: errors?.tail ?? [], as: UTF8.self).split(separator: "\n").dropFirst()
        return JSONWriter.bytes([
            "errorType": .string(failure.errorType),
            "errorMessage": .string("RequestId: \(id) Error: \(failure.errorMessage)"),
            "stderr": .array(lines.map { .string(String($0)) }),
        ])
    }

    private func finishAll(_ ending: ActiveCall.Ending, _ body: [UInt8]) {
        guard let call else { return }
        self.call = nil
        timer?.cancel()
        errors?.catchUp()
        var metered = call.metered(ending, instance: name, meter: nil, answerBytes: body.count, now: now)
        if case .ended(let report) = end {
            metered.peakMemoryBytes = report.cgroup?.memoryPeakBytes ?? report.usage.peakResidentBytes
            metered.cpuMicroseconds =
                report.cgroup?.cpuMicroseconds ?? report.usage.userMicroseconds + report.usage.systemMicroseconds
        }
        if case .timedOut = ending {
            errors?.say("\(PlatformEvent.time(Clock.now())) \(call.requestID) Task timed out after \(InstanceStartFailure.seconds(call.deadline - call.startedAt)) seconds")
        }
        let report = metered.report(ending)
        if function.logsJSON {
            let status = ending.status ?? (ending.errorType == nil ? "success" : "error")
            let event = PlatformEvent.report(
                requestID: call.requestID, status: status, errorType: ending.errorType, metrics: report.metrics, at: Clock.now())
            if let text = function.text(of: event) { errors?.say(text) }
        } else {
            errors?.say(LogLines.end(requestID: call.requestID))
            errors?.say(LogLines.report(report))
        }
        let isError = if case .success = ending { false } else { true }
        call.done(
            .answered(
                InvocationAnswer(
                    payload: body, functionError: isError ? "Unhandled" : nil, logTail: errors?.tail ?? [], call: metered)))
    }

    private func close(_ sentence: String) {
        guard phase != .ended else { return }
        if let call {
            let failure = InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "the instance \(sentence)")
            finishAll(.failed(failure), failure.body(requestID: call.requestID))
        }
        phase = .ended
        timer?.cancel()
        for task in pipeEnds { task.cancel() }
        if let errors {
            errors.catchUp()
            surroundings.logs.remove(errors)
        }
        streams = nil
        surroundings.events(.ended(sentence))
    }
}
