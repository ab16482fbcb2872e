import JSON
import Linux
import OCI
import RuntimeCgroups

extension Verbs {
    /// `events`: what a container uses, once or again and again.
    func events(_ id: String, interval: Int, once: Bool) throws(RuntimeFailure) {
        while true {
            let container = try Container(id, root: options.root)
            guard let record = container.record, container.status != .stopped else {
                throw RuntimeFailure("container with id \(id) is not running")
            }
            let statistics = RuntimeCgroup(recorded: record.cgroups).statistics()
            try say(["type": "stats", "id": .string(id), "data": statistics], .compact)
            if once { return }
            Clock.pauseBlocking(milliseconds: Int32(clamping: interval))
        }
    }
}
