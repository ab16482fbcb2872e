import HTTPServing
import Lambda
import Linux
import Metering
import Store
import TestKit
import Testing

@testable import Functions

/// What the invoker, the plane and the pool cost a warm call, without an instance and without a door. Run by hand:
///
///     FORKLESS_BENCH=1 swift test --filter WarmCallBench
@Suite(.enabled(if: OwnProcess.variable("FORKLESS_BENCH") != nil)) struct WarmCallBench {
    /// An instance that answers in the same breath.
    final class Echo: FunctionInstance {
        let name = "echo"
        let tell: (InstanceEvent) -> Void
        let template: InvocationAnswer

        init(_ function: DeployedFunction, _ tell: @escaping (InstanceEvent) -> Void) {
            self.tell = tell
            let call = MeteredCall(
                requestID: "r", function: function.name, version: function.version, invokedARN: function.arn,
                source: "",
                arrivedAt: Clock.now())
            template = InvocationAnswer(payload: Array("{}".utf8), call: call)
        }

        func invoke(_ invocation: Invocation, _ done: @escaping (InvocationOutcome) -> Void) {
            done(.answered(template))
            tell(.free)
        }

        func stop(_ reason: InstanceStopReason) { tell(.ended("was stopped")) }
    }

    final class Launcher: InstanceLauncher {
        func launch(
            _ function: DeployedFunction, isProvisioned: Bool, on loop: ServingLoop,
            events: @escaping (InstanceEvent) -> Void
        ) -> any FunctionInstance {
            let bound = LoopBound(events, on: loop)
            loop.execute { bound.value(.ready(InstanceReady(initMicroseconds: 1, start: .cold))) }
            return Echo(function, events)
        }

        func forget(_ function: DeployedFunction) {}
    }

    /// Throws records away.
    final class NoLedger: CallLedger {
        func append(_ call: MeteredCall) {}
        func commit(
            _ call: MeteredCall, with change: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Void,
            then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
        ) { then(.success(())) }
        var refusal: StoreFailure? { nil }
    }

    @Test func `a warm call through invoker, plane and pool`() async {
        let loops = ServingLoops(count: 1)
        let invoker = FunctionInvoker(
            on: loops.loops[0], launcher: Launcher(), PlaneSettings(memoryMB: 1024, processors: 2), ledger: NoLedger(),
            keys: FakeKeys(FakeLedger()))
        let plain = PlaneBench.function()
        let ordered = PlaneBench.function("g") { $0.order = .header("account") }
        for (name, function) in [("plain", plain), ("in order", ordered)] {
            let call = PlaneBench.call(function) { $0.headers = ["account": "1"] }
            _ = await invoker.invoke(call)
            for _ in 0..<3 {
                let nanoseconds = await loops.loops[0].run {
                    let start = Clock.monotonicNanoseconds()
                    for _ in 0..<200_000 { invoker.invoke(call) { _ in } }
                    return Clock.monotonicNanoseconds() - start
                }
                print("\(name): \(nanoseconds / 200_000) ns a call")
            }
        }
        await invoker.close()
        await loops.shutDown()
    }
}
