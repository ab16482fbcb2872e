package import HTTPServing
package import Lambda
package import Metering

/// A running copy of a function version, confined to a loop. It serves calls one at a time, or as many at once as its
/// function's `Freshness.concurrent` says.
///
/// It owns the whole protocol with the program: time-outs, crashes, extensions, logs, and the report of each call. A pool
/// gives it calls and tells it to go; it tells the pool what has become of it.
package protocol FunctionInstance: AnyObject {
    /// The name of its sandbox.
    var name: String { get }

    /// Gives it a call. Only between `.ready` and `.ended`, and only while it has a place free. `done` is called once.
    ///
    /// An instance that is ending already, and has not said so yet, calls `done` with a failure before this returns: it has
    /// not begun with the call, which is given to another instance then.
    func invoke(_ invocation: Invocation, _ done: @escaping (InvocationOutcome) -> Void)

    /// Ends it: extensions hear of it first. Calls under way are answered with an error. `.ended` follows.
    func stop(_ reason: InstanceStopReason)
}

package enum InstanceStopReason: String, Hashable, Sendable {
    /// Not needed any more.
    case spindown
    case timeout
    case failure
}

/// What happens to an instance, told on its loop.
package enum InstanceEvent: Hashable, Sendable {
    /// It waits for its first call.
    case ready(InstanceReady)
    /// It did not get there; `.ended` follows. Calls that wait for it are answered so.
    case failed(InstanceStartFailure)
    /// A call has left it, whatever its outcome, and it can take another one.
    case free
    /// Nothing of it runs any more; `sentence` completes "the instance ...".
    case ended(String)
}

package struct InstanceReady: Hashable, Sendable {
    package var initMicroseconds: Int
    package var start: MeteredCall.Start

    package init(initMicroseconds: Int, start: MeteredCall.Start) {
        self.initMicroseconds = initMicroseconds
        self.start = start
    }
}

/// Why an instance did not become ready.
package struct InstanceStartFailure: Error, Hashable, Sendable {
    /// "Runtime.ExitError", "Runtime.InvalidEntrypoint", "Sandbox.Timedout", ...
    package var errorType: String
    package var errorMessage: String
    /// The body that the runtime sent with its error; else it is made of the two above.
    package var payload: [UInt8]?
    /// The program could not be started at all for a reason that a retry does not cure (a missing file).
    package var isPermanent: Bool

    package init(errorType: String, errorMessage: String, payload: [UInt8]? = nil, isPermanent: Bool = false) {
        self.errorType = errorType
        self.errorMessage = errorMessage
        self.payload = payload
        self.isPermanent = isPermanent
    }
}

/// Starts instances. The real one makes sandboxes, the fake one of the pools' tests does what a script says.
package protocol InstanceLauncher: AnyObject {
    /// Begins to start an instance on a loop, from which this is called. Events come later, never inside this call.
    ///
    /// - Parameter isProvisioned: it is kept warm ahead of calls, and its initialisation is billed to nobody's call.
    func launch(
        _ function: DeployedFunction, isProvisioned: Bool, on loop: ServingLoop,
        events: @escaping (InstanceEvent) -> Void
    ) -> any FunctionInstance

    /// The function version has no instance, and may need one at any time: what its start needs may be got ready.
    func expect(_ function: DeployedFunction)

    /// The function version will not be started any more (it was changed or deleted): what was prepared for it may go.
    func forget(_ function: DeployedFunction)

    /// Why its instances are started cold though the function asks for a zygote; nil: they are not.
    func coldStartReason(_ function: DeployedFunction) -> String?
}

extension InstanceLauncher {
    package func expect(_ function: DeployedFunction) {}
    package func coldStartReason(_ function: DeployedFunction) -> String? { nil }
}
