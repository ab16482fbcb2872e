internal import HTTPServing
internal import Lambda
internal import Linux

/// The pool of one function version with what its worker keeps for it: the instances themselves and the calls that wait.
final class PlanePool {
    /// What names the pool in the fair queue and in timers.
    let number: Int
    let function: DeployedFunction
    /// Of its function in the limits.
    let place: Int
    var machine: InstancePool
    var instances: [InstanceID: any FunctionInstance] = [:]
    /// Of these, those that have not become ready or failed.
    var starting: Set<InstanceID> = []
    /// Those that were told to stop, and when, as long as they are waited for.
    var leaving: [InstanceID: Instant] = [:]
    var waiting: [CallID: PendingCall] = [:]
    var timer: ScheduledWork?
    /// Since when the pool has nothing.
    var emptySince: Instant?
    /// What observers were told last.
    var provisioning: Provisioning?
    /// How many provisioned instances were ready since when, as far as the ledger does not have it yet.
    var capacity: (instances: Int, since: Timestamp)?
    var capacityTimer: ScheduledWork?

    init(number: Int, _ function: DeployedFunction, place: Int, _ settings: InstancePoolSettings) {
        self.number = number
        self.function = function
        self.place = place
        machine = InstancePool(settings)
    }

    /// What a pool is found by.
    struct Key: Hashable {
        var name: String
        var version: String
        var revision: String

        init(_ function: DeployedFunction) {
            name = function.name
            version = function.version
            revision = function.revision
        }

        // The revision alone tells nearly all of them apart, and this is computed for each call.
        func hash(into hasher: inout Hasher) { hasher.combine(revision) }
    }
}

/// A call that waits for its instance.
struct PendingCall {
    var invocation: Invocation
    var done: FunctionPlane.Completion
}
