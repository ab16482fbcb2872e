import Keeper
import Linux

/// What of a container's life is an event, in Docker's words and with its attributes.
enum ContainerEvents {
    /// What came of the keeper's word, by the states before and after it.
    static func of(
        _ event: ContainerLifecycle.Event, before: ContainerLifecycle, after: ContainerLifecycle
    ) -> [(action: String, attributes: [String: String])] {
        switch event {
        case .started, .found:
            // Also a program that a dead node had asked for: that it runs is news to everybody.
            guard case .starting = before.state, case .running = after.state else { return [] }
            return [("start", [:])]
        case .ended, .absent:
            guard before.phase.isActive, let end = after.end ?? before.end else { return [] }
            guard before.run != nil, after.state != before.state else { return [] }
            return died(end, before)
        default: return []
        }
    }

    private static func died(
        _ end: ContainerEnd, _ before: ContainerLifecycle
    ) -> [(action: String, attributes: [String: String])] {
        var attributes = ["exitCode": end.exitStatus.map { "\($0)" } ?? "unknown"]
        if let started = before.run?.start?.startedAt {
            attributes["execDuration"] = "\(max(0, end.endedAt.nanoseconds - started.nanoseconds) / 1_000_000_000)"
        }
        var events: [(action: String, attributes: [String: String])] = []
        if end.outOfMemory { events.append(("oom", [:])) }
        events.append(("die", attributes))
        if case .stopping = before.state { events.append(("stop", [:])) }
        return events
    }
}

extension EventJournal {
    /// Notes an event of a container: its name and labels go along, as with Docker.
    func note(_ action: String, of record: ContainerRecord, attributes: [String: String] = [:]) {
        var all = record.spec.labels
        if let image = record.spec.image { all["image"] = image.name }
        for (key, value) in attributes { all[key] = value }
        note(.container, action, subject: record.id, name: record.name, attributes: all)
    }

    /// A start mounts a container's volumes, its end unmounts them.
    func noteVolumes(of record: ContainerRecord, after action: String) {
        guard action == "start" || action == "die" else { return }
        for case .volume(let name?, let target, let isReadOnly) in record.spec.mounts {
            var attributes = ["container": record.id, "driver": "local"]
            if action == "start" {
                attributes["destination"] = target
                attributes["read/write"] = isReadOnly ? "false" : "true"
            }
            note(.volume, action == "start" ? "mount" : "unmount", subject: name, attributes: attributes)
        }
    }
}
