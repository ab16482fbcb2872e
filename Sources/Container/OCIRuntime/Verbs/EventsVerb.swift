import JSON
import Linux
import OCI
import RuntimeCgroups

extension Verbs {
    /// `events`: what a container uses, once or again and again until it stops, and that it had too little memory.
    func events(_ id: String, interval: Int, once: Bool) throws(RuntimeFailure) {
        let container = try Container(id, root: options.root)
        guard let record = container.record, container.status != .stopped else {
            throw RuntimeFailure("container with id \(id) is not running")
        }
        var shortage = RuntimeCgroup(recorded: record.cgroups).memoryShortage
        while true {
            let statistics = RuntimeCgroup(recorded: record.cgroups).statistics()
            try say(["type": "stats", "id": .string(id), "data": statistics], .compact)
            if once { return }
            Clock.pauseBlocking(milliseconds: Int32(clamping: interval))
            // Before its status is asked for: a container that the kernel has ended for it says so with its last word.
            let now = RuntimeCgroup(recorded: record.cgroups).memoryShortage
            if now.isNews(after: shortage) { try say(["type": "oom", "id": .string(id)], .compact) }
            shortage = now
            guard try isRunning(record) else { return }
        }
    }

    /// Whether the container is still there and still this one.
    private func isRunning(_ record: ContainerRecord) throws(RuntimeFailure) -> Bool {
        let container: Container
        do throws(RuntimeFailure) { container = try Container(record.id, root: options.root) } catch {
            if error.message == "container does not exist" { return false }
            throw error
        }
        return container.record == record && container.status != .stopped
    }
}
