package import Linux
internal import Sandbox

/// What all pools of a node share. Every limit stands here with its reason.
package struct PlaneSettings: Hashable, Sendable {
    /// Memory for instances, in MB.
    package var memoryMB: Int
    /// Instances being started at the same time. A start waits for the kernel now and then, so two for each processor
    /// keep it busy; more only make all of them later.
    package var startsAtOnce: Int
    /// Calls accepted and not answered, of all functions: the account's limit, as Lambda has it.
    package var concurrency = 1000
    /// A function without any instance waits so long for its fair turn; then all others make room.
    package var patience: Duration = .seconds(1)
    /// A promise of provisioned instances for which there has been no memory for so long has failed, until there is.
    package var promisePatience: Duration = .seconds(10)
    /// What was told to stop is gone within milliseconds, or within seconds with extensions. After so long its memory is not
    /// waited for any more (a program may hang in the kernel, in a file system for instance): others make room, and the node
    /// may end.
    package var endPatience: Duration = .seconds(10)
    /// Provisioned instances may have so much of the memory: what is left is for the calls of everybody else.
    package var promisedShare = 0.8
    /// Provisioned capacity is told of after so long at the latest: what a node that is killed does not bill.
    package var capacitySpan: Duration = .seconds(300)
    /// The pool of a version that nobody has called for so long, and that has no instances, is forgotten.
    package var forgetAfter: Duration = .seconds(60)
    /// What a pool begins with; the function's settings change it.
    package var pool = InstancePoolSettings()

    package init(memoryMB: Int, processors: Int) {
        self.memoryMB = memoryMB
        startsAtOnce = max(2 * processors, 2)
    }

    /// Of the memory of a machine, so much is for functions: the rest is for the system, its caches and the node.
    package static let memoryShare = 0.75

    /// For this machine.
    package static func ofThisMachine() throws(SystemError) -> PlaneSettings {
        let machine = try MachineCapacity.ofThisMachine()
        let memoryMB = Int(Double(machine.memoryBytes) * memoryShare) / (1 << 20)
        return PlaneSettings(memoryMB: memoryMB, processors: machine.cpus.ranges.reduce(0) { $0 + $1.count })
    }
}
