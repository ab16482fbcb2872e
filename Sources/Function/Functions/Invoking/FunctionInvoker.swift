package import HTTPServing
package import Lambda
internal import Linux
package import Metering

/// How calls wait for each other. Every limit stands here with its reason.
package struct InvokerSettings: Hashable, Sendable {
    /// Calls of one order key that may wait for their turn, and calls of one key that may wait for its first answer:
    /// as many as a whole account may have under way.
    package var waitingLimit = 1000
    /// How long a call may wait for its turn: what has waited longer than a long call takes has nobody who waits for it.
    package var turnTimeLimit: Duration = .seconds(900)
    /// Ends of calls with keys that may be kept in memory while the disk cannot take them. Keys beyond it stay marked until
    /// the node is started again.
    package var unrecordedLimit = 1000

    package init() {}
}

/// Runs calls of functions for every door and event source: keys, order and deadlines before the pools, the ledger after.
///
/// A call goes through these stages, each of which may refuse it:
/// 1. Its deadline, key and order are read as the function's settings say.
/// 2. With a key: a repeated one is answered with the first answer, byte for byte. Another payload under the same key is
///    refused with `IdempotencyKeyConflictException` (409). While the first call is under way, others with its key wait
///    for it and get its answer.
/// 3. With an order: it waits until it is the first of its order key.
/// 4. Its pool gives it an instance (`FunctionPlane`); a call whose deadline passes before that is refused with
///    `DeadlineExceededException` (408).
/// 5. The answer is completed with what was counted. With a key it is on disk, in one transaction with the ledger's record,
///    before the caller hears it; without, the record follows within 100 ms.
///
/// An error of the function, or a call that was not run, leaves no key behind: the same call may be tried again.
///
/// Calls may come on any thread; off the loop of the plane they hop to it once. `done` is called on that loop.
package final class FunctionInvoker: Invoker {
    package let loop: ServingLoop
    /// For those who are on the loop.
    package let plane: LoopBound<FunctionPlane>
    private let worker: LoopBound<CallWorker>

    package init(
        on loop: ServingLoop, launcher: any InstanceLauncher, _ planeSettings: PlaneSettings,
        ledger: any CallLedger, keys: any KeyedAnswers, capacity: (any CapacityLedger)? = nil,
        _ settings: InvokerSettings = InvokerSettings()
    ) {
        self.loop = loop
        let plane = FunctionPlane(on: loop, launcher: launcher, planeSettings)
        if let capacity { plane.onCapacity = { capacity.append($0) } }
        self.plane = LoopBound(plane, on: loop)
        worker = LoopBound(CallWorker(plane, ledger, keys, settings), on: loop)
    }

    package func invoke(_ call: FunctionCall, _ done: @escaping @Sendable (InvocationOutcome) -> Void) {
        if loop.isCurrent { return worker.value.invoke(call, done) }
        loop.execute { [worker] in worker.value.invoke(call, done) }
    }

    /// Does something with the plane, from anywhere.
    package func withPlane<Value: Sendable>(_ work: @escaping @Sendable (FunctionPlane) -> Value) async -> Value {
        await loop.run { [plane] in work(plane.value) }
    }

    /// As `FunctionPlane.retire`, from any thread.
    package func retire(_ function: DeployedFunction) { loop.execute { [plane] in plane.value.retire(function) } }

    /// As `FunctionPlane.expect`, from any thread.
    package func expect(_ function: DeployedFunction) { loop.execute { [plane] in plane.value.expect(function) } }

    /// As `FunctionPlane.setReserved`.
    package func setReserved(_ name: String, _ count: Int?) async throws(LambdaFailure) {
        let failure = await withPlane { plane in
            do throws(LambdaFailure) {
                try plane.setReserved(name, count)
                return LambdaFailure?.none
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// As `FunctionPlane.setProvisioned`, from any thread.
    package func setProvisioned(_ function: DeployedFunction, _ count: Int) {
        loop.execute { [plane] in plane.value.setProvisioned(function, count) }
    }

    /// How many instances of a version are provisioned.
    package func provisioning(of function: DeployedFunction) async -> Provisioning {
        await withPlane { $0.provisioning(of: function) }
    }

    /// All pools in numbers.
    package func status() async -> PlaneStatus { await withPlane { $0.status() } }

    /// Takes no more calls, lets those that run end, and stops every instance; after `grace` those that serve as well.
    /// When it returns, every call has been answered, and nothing more goes to the ledger or the book of keys.
    package func close(grace: Duration = .seconds(10)) async {
        await withCheckedContinuation { continuation in
            loop.execute { [plane, worker] in
                plane.value.close(grace: grace) { worker.value.whenSettled { continuation.resume() } }
            }
        }
    }
}
