package import JSON
import Keeper
package import Linux

/// What is kept of a container on disk: enough for the next node to go on where this one ended.
package struct ContainerRecord: Hashable, Sendable {
    package var id: String
    package var name: String
    package var createdAt: Timestamp
    package var spec: ContainerSpec
    /// Whether the last start was logged.
    package var isLogged: Bool
    /// Where it writes over its image's layers: the name of its room, from the first start on.
    package var room: String?
    package var lifecycle: ContainerLifecycle
    /// Whether the volumes that are its alone go with it.
    package var removesVolumes = false
    /// How well it is, where it is asked; not recorded, since the next node asks anew.
    package var health: HealthReport?

    package init(
        id: String, name: String, createdAt: Timestamp, spec: ContainerSpec, isLogged: Bool = true,
        room: String? = nil, lifecycle: ContainerLifecycle? = nil
    ) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
        self.spec = spec
        self.isLogged = isLogged
        self.room = room
        self.lifecycle =
            lifecycle ?? ContainerLifecycle(removesOnExit: spec.removesOnExit, restart: RestartState(policy: spec.restart))
    }

    /// What the keeper calls a run of this container.
    package func sandbox(run: Int) -> String { "\(id).\(run)" }
}

extension ContainerRecord: NodeValue {
    /// The form of the file; a node refuses those of a later one instead of guessing.
    package static let version = 1

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let version: Int = try reader.required("version")
        guard version == Self.version else {
            throw reader.error("version", "is \(version); this node reads \(Self.version)")
        }
        let spec: ContainerSpec = try reader.nested("spec")
        let runs: Int = try reader.required("runs")
        guard let state = try reader.object("state", ContainerLifecycle.State.init(reading:)) else {
            throw reader.error("state", "expected an object, found nothing")
        }
        let restart = RestartState(
            policy: spec.restart, restarts: try reader.optional("restarts") ?? 0, isStopped: try reader.flag("stopped"))
        self.init(
            id: try reader.required("id"), name: try reader.required("name"), createdAt: try reader.required("createdAt"),
            spec: spec, isLogged: try reader.flag("logged"), room: try reader.optional("room"),
            lifecycle: ContainerLifecycle(
                state: state, runs: runs, removesOnExit: spec.removesOnExit, restart: restart))
        removesVolumes = try reader.flag("removesVolumes")
    }

    package var json: JSONValue {
        .members(
            ("version", Self.version.json), ("id", id.json), ("name", name.json), ("createdAt", createdAt.json),
            ("logged", isLogged.json), ("runs", lifecycle.runs.json), ("state", lifecycle.state.json),
            ("restarts", lifecycle.restart.restarts.json), ("stopped", lifecycle.restart.isStopped.json),
            ("room", room?.json), ("removesVolumes", removesVolumes.json), ("spec", spec.json))
    }
}

extension ContainerLifecycle.State {
    init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let phase: ContainerPhase = try reader.word("phase")
        func run() throws(JSONShapeError) -> ContainerLifecycle.Run {
            guard let run = try reader.object("run", ContainerLifecycle.Run.init(reading:)) else {
                throw reader.error("run", "expected an object, found nothing")
            }
            return run
        }
        switch phase {
        case .created: self = .created(startError: try reader.optional("startError"))
        case .starting: self = .starting(run: try run().number)
        case .running: self = .running(try run())
        case .paused: self = .paused(try run())
        case .stopping: self = .stopping(try run(), killAt: try reader.optional("killAt"))
        case .exited: self = .exited(try run(), try reader.nested("end"))
        case .lost: self = .lost(try run(), try reader.nested("end"))
        case .removing: self = .removing(try run())
        // Waiting for the next attempt is no state of its own: the record has the end that it follows.
        case .restarting: throw reader.error("phase", "is no state that is recorded")
        }
    }

    var json: JSONValue {
        switch self {
        case .created(let error): .members(("phase", "created"), ("startError", error?.json))
        case .starting(let run): ["phase": "starting", "run": ["number": run.json]]
        case .running(let run): ["phase": "running", "run": run.json]
        case .paused(let run): ["phase": "paused", "run": run.json]
        case .stopping(let run, let killAt):
            .members(("phase", "stopping"), ("run", run.json), ("killAt", killAt?.json))
        case .exited(let run, let end): ["phase": "exited", "run": run.json, "end": end.json]
        case .lost(let run, let end): ["phase": "lost", "run": run.json, "end": end.json]
        case .removing(let run): ["phase": "removing", "run": run.json]
        case .removed: preconditionFailure("a removed container has no record")
        }
    }
}

extension ContainerLifecycle.Run {
    init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        number = try reader.required("number")
        guard let pid: Int32 = try reader.optional("pid") else {
            start = nil
            return
        }
        start = StartReport(
            pid: pid, startedAt: try reader.required("startedAt"),
            startNanoseconds: try reader.required("startNanoseconds"), wasPrepared: try reader.flag("wasPrepared"),
            room: try reader.optional("room"))
    }

    var json: JSONValue {
        .members(
            ("number", number.json), ("pid", start?.pid.json), ("startedAt", start?.startedAt.json),
            ("startNanoseconds", start?.startNanoseconds.json), ("wasPrepared", start?.wasPrepared.json),
            ("room", start?.room?.json))
    }
}
