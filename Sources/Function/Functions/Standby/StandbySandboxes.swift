package import Engine
package import Keeper
internal import Linux
internal import Sandbox
internal import Synchronization

/// The sandboxes of all standbys of a node. A standby's end is kept until it is asked for.
package final class StandbySandboxes: Sendable {
    /// How the names of all standbys begin.
    package static let prefix = "standby-"

    /// The book of those that run, which the keeper's link is to know as an owner.
    package let lives: SandboxLives
    private let ends = Mutex<[String: AwaitedEnd]>([:])

    /// - Parameter prefix: what tells these standbys from others of the same node.
    package init(_ keeper: any SandboxKeeper, prefix: String = StandbySandboxes.prefix) {
        lives = SandboxLives(keeper, prefix: prefix)
    }

    /// Starts one copy, with pipes as its streams.
    func start(_ launch: PlannedLaunch) async throws(InstanceFailure) -> StartedInstance {
        let (name, end) = (lives.nextName(), AwaitedEnd())
        let started: StartedSandbox
        do {
            started = try await lives.start(
                SandboxStart(plan: launch.plan, name: name, call: launch.call, streams: .pipes), descriptors: []
            ) { end.tell($0) }
        } catch { throw InstanceFailure(error.message) }
        guard started.descriptors.count == 3 else {
            preconditionFailure("the keeper answered a start with \(started.descriptors.count) descriptors")
        }
        ends.withLock { $0[name] = end }
        let streams = started.descriptors
        return StartedInstance(
            name: name, pid: started.report.pid,
            streams: InstanceStreams(input: streams[0], output: streams[1], errors: streams[2]))
    }

    /// Kills everything in a sandbox, however long the keeper cannot be reached.
    func kill(_ name: String) async { await lives.kill(name) }

    /// Waits for the end of a sandbox. Once for each.
    func end(of name: String) async -> InstanceEnd {
        guard let end = ends.withLock({ $0.removeValue(forKey: name) }) else {
            preconditionFailure("\(name) was never started, or its end was taken")
        }
        switch await end.value {
        case .ended(let report): return InstanceEnd(report)
        case .unknown(let reason): return InstanceEnd(.unknown(reason))
        }
    }
}

extension InstanceEnd {
    /// What the keeper reported; of the whole sandbox where that was counted.
    init(_ report: EndReport) {
        self.init(
            .ended(report.status),
            userMicroseconds: report.cgroup?.cpuUserMicroseconds ?? report.usage.userMicroseconds,
            systemMicroseconds: report.cgroup?.cpuSystemMicroseconds ?? report.usage.systemMicroseconds,
            peakMemoryBytes: report.cgroup?.memoryPeakBytes ?? report.usage.peakResidentBytes,
            outOfMemory: report.outOfMemory)
    }
}
