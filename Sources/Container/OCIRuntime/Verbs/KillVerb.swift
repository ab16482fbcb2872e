import Linux
import OCI
import RuntimeCgroups

extension Verbs {
    /// `kill`: sends a signal to the container's process, or to all of them.
    func kill(_ id: String, signal text: String, all: Bool) throws(RuntimeFailure) {
        guard let number = Signal.number(of: text) else { throw RuntimeFailure("unknown signal \"\(text)\"") }
        let container = try Container(id, root: options.root)
        if all, let record = container.record, container.status == .stopped {
            // What is left of a container without a pid namespace of its own.
            return try signalAll(RuntimeCgroup(recorded: record.cgroups), number)
        }
        let record = try container.demand(.kill)
        // One without a cgroup (--rootless) has a first process at least.
        if all, !record.cgroups.isEmpty { return try signalAll(RuntimeCgroup(recorded: record.cgroups), number) }
        try attempt { () throws(SystemError) in
            let process = try ProcessFD(pid: record.pid)
            // The number may have gone to another process since it was looked at; a pidfd keeps to one.
            guard ProcessIdentity.startTicks(of: record.pid) == record.startTicks else { return }
            try process.signal(number)
        }
        // A frozen process takes its signal only when it goes on, but for SIGKILL under cgroup v2.
        if number == Signal.kill, container.status == .paused {
            try attempt { () throws(SystemError) in try RuntimeCgroup(recorded: record.cgroups).freeze(false) }
        }
    }

    private func signalAll(_ cgroup: RuntimeCgroup, _ number: Int32) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in
            if number == Signal.kill { return try cgroup.kill() }
            for pid in try cgroup.processes() {
                guard let process = try? ProcessFD(pid: pid) else { continue }
                try process.signal(number)
            }
        }
    }
}
