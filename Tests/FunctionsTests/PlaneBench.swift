import HTTPServing
import Lambda
import Linux
import Metering
import TestKit

@testable import Functions

/// An invoker and its plane on a loop of their own, with fake instances and books.
final class PlaneBench: Sendable {
    let loops = ServingLoops(count: 1)
    let ledger = FakeLedger()
    let keys: FakeKeys
    let launcher: LoopBound<FakeLauncher>
    let invoker: FunctionInvoker

    var loop: ServingLoop { loops.loops[0] }

    init(
        memoryMB: Int = 4096, startsAtOnce: Int = 4, _ change: (inout PlaneSettings) -> Void = { _ in },
        invoking: InvokerSettings = InvokerSettings()
    ) {
        var settings = PlaneSettings(memoryMB: memoryMB, processors: 2)
        settings.startsAtOnce = startsAtOnce
        settings.forgetAfter = .milliseconds(20)
        change(&settings)
        keys = FakeKeys(ledger)
        let launcher = FakeLauncher()
        self.launcher = LoopBound(launcher, on: loops.loops[0])
        invoker = FunctionInvoker(
            on: loops.loops[0], launcher: launcher, settings, ledger: ledger, keys: keys, invoking)
    }

    static func function(
        _ name: String = "f", revision: String = "1", memoryMB: Int = 128,
        _ change: (inout FunctionSettings) -> Void = { _ in }
    ) -> DeployedFunction {
        var function = DeployedFunction(
            name: name, version: "$LATEST", arn: "arn:aws:lambda:us-east-1:000000000000:function:\(name)",
            revision: revision,
            codeDigest: "code", runtime: .bootstrap, memoryMB: memoryMB)
        change(&function.settings)
        return function
    }

    static func call(
        _ function: DeployedFunction, _ payload: String = "{}", id: String = "r",
        _ change: (inout FunctionCall) -> Void = { _ in }
    ) -> FunctionCall {
        var call = FunctionCall(
            requestID: id, function: function, invokedARN: function.arn, payload: Array(payload.utf8), source: "invoke",
            trace: "", arrivedAt: Clock.now())
        change(&call)
        return call
    }

    func invoke(_ call: FunctionCall) async -> InvocationOutcome { await invoker.invoke(call) }

    /// Begins calls in this order, and gives their outcomes in the same order.
    func invokeAll(_ calls: [FunctionCall]) async -> [InvocationOutcome] {
        let box = OutcomeBox(calls.count)
        let bound = LoopBound(invoker, on: loop)
        loop.execute {
            for (index, call) in calls.enumerated() { bound.value.invoke(call) { box.set(index, $0) } }
        }
        return await box.all()
    }

    func script(_ change: @escaping @Sendable (FakeLauncher) -> Void) async {
        let launcher = launcher
        await loop.run { change(launcher.value) }
    }

    func look<Value: Sendable>(_ at: @escaping @Sendable (FakeLauncher) -> Value) async -> Value {
        let launcher = launcher
        return await loop.run { at(launcher.value) }
    }

    /// Closes the plane, looks that nothing of it is left, and ends the loop.
    func close() async -> Bool {
        await invoker.close(grace: .seconds(5))
        let isClean = await look { $0.alive.isEmpty }
        let status = await invoker.status()
        await loops.shutDown()
        return isClean && status.usedMemoryMB == 0 && status.inFlight == 0 && status.startsUnderWay == 0
    }
}

extension InvocationOutcome {
    var text: String? {
        guard case .answered(let answer) = self else { return nil }
        return String(decoding: answer.payload, as: UTF8.self)
    }

    var answer: InvocationAnswer? {
        guard case .answered(let answer) = self else { return nil }
        return answer
    }

    var failure: LambdaFailure? {
        guard case .failed(let failure) = self else { return nil }
        return failure
    }
}
