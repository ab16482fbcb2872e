internal import JSON
package import Lambda
internal import Metering

/// What callers hear that get no instance.
extension FunctionPlane {
    func refusal(_ reason: InstanceRefusal, _ pool: PlanePool) -> LambdaFailure {
        let name = pool.function.name
        let counts = pool.machine.counts
        switch reason {
        case .tooManyWaiting(let limit):
            return .tooManyRequests(
                "Rate Exceeded: \(limit) calls of \(name) wait for an instance already (\(inUse(counts))). Call again later.",
                reason: "ConcurrentInvocationLimitExceeded")
        case .waitedTooLong(let span):
            return .tooManyRequests(
                "Rate Exceeded: no instance of \(name) was free within \(span.components.seconds) s (\(inUse(counts))). "
                    + "Call again later.",
                reason: "ConcurrentInvocationLimitExceeded")
        case .deadlinePassed: return .deadlinePassed(name)
        case .closed: return .service("run \(name): the node is being stopped. Call again later.")
        }
    }

    private func inUse(_ counts: InstancePoolCounts) -> String {
        "\(counts.busy) in use, \(counts.starting) starting; functions use \(budget.usedMB) of \(budget.totalMB) MB"
    }

    func tooLarge(_ function: DeployedFunction) -> LambdaFailure {
        .invalidParameter(
            "run \(function.name): its memory size of \(function.memoryMB) MB is more than the \(budget.totalMB) MB that all "
                + "functions may have on this node. Lower MemorySize, or give functions more.")
    }
}

extension LambdaFailure {
    /// The caller's deadline came before an instance was free. 408 and not 504: every SDK repeats what was answered with
    /// 504, and a later attempt is later still.
    package static func deadlinePassed(_ function: String) -> LambdaFailure {
        LambdaFailure(
            "DeadlineExceededException", status: 408,
            "run \(function): the deadline of the call passed before an instance could begin with it. It was not run.")
    }
}

extension InvocationAnswer {
    /// As Lambda answers a call whose instance did not become ready: with the error of its initialisation.
    init(_ failure: InstanceStartFailure, _ invocation: Invocation) {
        let function = invocation.function
        var call = MeteredCall(
            requestID: invocation.requestID, function: function.name, version: function.version,
            invokedARN: invocation.invokedARN, source: "", arrivedAt: invocation.arrivedAtTime)
        call.memoryMB = function.memoryMB
        call.codeDigest = function.codeDigest
        call.revision = function.revision
        call.outcome =
            switch failure.errorType {
            case "Sandbox.Timedout": .timedOut
            case "Runtime.OutOfMemory": .outOfMemory
            default: .functionError(failure.errorType)
            }
        self.init(
            payload: failure.body(requestID: invocation.requestID), contentType: "application/json",
            functionError: "Unhandled", call: call)
    }
}
