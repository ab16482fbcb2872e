internal import Lambda
internal import Linux
internal import Metering

/// A call that an instance has, and what is counted of it.
struct ActiveCall {
    let invocation: Invocation
    /// When the instance got it.
    let startedAt: Instant
    /// When it is over whatever the instance does.
    let deadline: Instant
    let cpuBefore: Int
    /// Initialisation that it waited for.
    let initMicroseconds: Int?
    let start: MeteredCall.Start
    let done: (InvocationOutcome) -> Void

    /// How a call ended, for its report.
    enum Ending {
        case success
        /// The function said so: the call is an error, and the instance is well.
        case functionError(String)
        /// The instance did not do what it should.
        case failed(InstanceStartFailure)
        case timedOut

        var status: String? {
            switch self {
            case .success, .functionError: nil
            case .failed: "error"
            case .timedOut: "timeout"
            }
        }

        var errorType: String? {
            switch self {
            case .success, .timedOut: nil
            case .functionError(let type): type
            case .failed(let failure): failure.errorType
            }
        }

        var outcome: MeteredCall.Outcome {
            switch self {
            case .success: .success
            case .functionError(let type): .functionError(type)
            case .failed(let failure) where failure.errorType == "Runtime.OutOfMemory": .outOfMemory
            case .failed(let failure): .functionError(failure.errorType)
            case .timedOut: .timedOut
            }
        }
    }

    var requestID: String { invocation.requestID }

    /// Everything that is counted, but for what the caller of the instance knows better (source, key, attempt, digests).
    func metered(
        _ ending: Ending, instance: String, meter: InstanceMeter?, answerBytes: Int, now: Instant
    ) -> MeteredCall {
        let function = invocation.function
        var call = MeteredCall(
            requestID: requestID, function: function.name, version: function.version, invokedARN: invocation.invokedARN,
            source: invocation.source, arrivedAt: invocation.arrivedAtTime)
        call.queueMicroseconds = max(0, (startedAt.nanoseconds - invocation.arrivedAt.nanoseconds) / 1000)
        call.initMicroseconds = initMicroseconds
        call.durationMicroseconds = (now.nanoseconds - startedAt.nanoseconds) / 1000
        call.billedMilliseconds = CallReport.billed(
            durationMicroseconds: call.durationMicroseconds, initMicroseconds: initMicroseconds)
        call.memoryMB = function.memoryMB
        call.ephemeralMB = function.ephemeralMB
        call.peakMemoryBytes = meter?.peakBytes ?? 0
        call.cpuMicroseconds = max(0, (meter?.cpuMicroseconds ?? 0) - cpuBefore)
        call.instance = instance
        call.start = start
        call.codeDigest = function.codeDigest
        call.revision = function.revision
        call.outcome = ending.outcome
        call.payloadBytes = invocation.payload.count
        call.answerBytes = answerBytes
        return call
    }
}

extension MeteredCall {
    /// The line REPORT of this call.
    func report(_ ending: ActiveCall.Ending) -> CallReport {
        var errorType: String?
        if case .failed(let failure) = ending { errorType = failure.errorType }
        return CallReport(
            requestID: requestID, durationMicroseconds: durationMicroseconds, billedMilliseconds: billedMilliseconds,
            memoryMB: memoryMB, peakMB: peakMB, initMicroseconds: initMicroseconds, status: ending.status,
            errorType: errorType)
    }

    /// Rounded up, and not more than the limit, which the kernel lets no page beyond.
    var peakMB: Int { min((peakMemoryBytes + (1 << 20) - 1) >> 20, memoryMB) }
}
