package import JSON
internal import Linux

extension ShiftState {
    /// As the database keeps it, and as `GET /forkless/v1/shifts` tells it.
    package var json: JSONValue {
        var object = JSONObject()
        object["id"] = .string(id)
        object["program"] = .string(spec.program)
        object["spec"] = spec.json
        object["identity"] = [
            "device": .string("\(identity.device)"), "inode": .string("\(identity.inode)"), "size": identity.size.json,
            "modified": identity.modified.json,
        ]
        switch phase {
        case .active: object["phase"] = "active"
        case .paused(let why):
            object["phase"] = "paused"
            object["why"] = .string(why)
        case .rolledBack(let why):
            object["phase"] = "rolled-back"
            object["why"] = .string(why)
        }
        object["mode"] = .string(stage.mode.rawValue)
        object["percent"] = stage.percent.json
        object["step"] = step.json
        object["since"] = .string("\(since)")
        object["mounted"] = isMountWanted.json
        object["decided"] = [decided.json, decidedForOriginal.json, decidedForComparison.json]
        object["stage"] = counts.json
        object["original"] = original.json
        object["target"] = target.json
        object["shadow"] = shadow.json
        object["compared"] = compared.json
        object["differing"] = differing.json
        object["detours"] = detours.json
        object["firstDifference"] = firstDifference.map { .string($0) }
        object["noise"] = noise.json
        return .object(object)
    }

    /// Reads what `json` wrote.
    package init(json: JSONValue) throws(ShiftProblem) {
        do { try self.init(reading: json) } catch {
            throw ShiftProblem(.system, "read a shift from the node's database: \(error)")
        }
    }

    private init(reading json: JSONValue) throws {
        var reader = try JSONObjectReader(json)
        let now = Timestamp(try reader.required("since", as: String.self)) ?? Timestamp(nanoseconds: 0)
        let spec = try ShiftSpec(json: try reader.required("spec"))
        let identity = try reader.object("identity") { inner throws(JSONShapeError) in
            ProgramIdentity(
                device: UInt64(try inner.required("device", as: String.self)) ?? 0,
                inode: UInt64(try inner.required("inode", as: String.self)) ?? 0, size: try inner.required("size"),
                modified: try inner.required("modified"))
        }
        guard let identity else { throw reader.error("identity", "expected an object, found nothing") }
        self.init(id: try reader.required("id"), spec: spec, identity: identity, now: now)
        let why: String = try reader.optional("why") ?? ""
        switch try reader.required("phase", as: String.self) {
        case "active": phase = .active
        case "paused": phase = .paused(why)
        case "rolled-back": phase = .rolledBack(why)
        default: throw reader.error("phase", "expected active, paused or rolled-back")
        }
        let mode = ShiftMode(rawValue: try reader.required("mode")) ?? .measure
        let percent: Int = try reader.required("percent")
        guard let stage = ShiftStage(mode, percent: percent) else {
            throw reader.error("percent", "not one of \(mode.rawValue)")
        }
        self.stage = stage
        step = min(try reader.required("step"), max(0, (spec.promotion?.count ?? 1) - 1))
        isMountWanted = try reader.required("mounted")
        let numbers: [Int] = try reader.list("decided")
        guard numbers.count == 3 else { throw reader.error("decided", "expected three numbers") }
        (decided, decidedForOriginal, decidedForComparison) = (numbers[0], numbers[1], numbers[2])
        counts = try reader.object("stage") { inner throws(JSONShapeError) in try StageCounts(&inner) } ?? StageCounts()
        original = try reader.object("original") { inner throws(JSONShapeError) in try RunTally(&inner) } ?? RunTally()
        target = try reader.object("target") { inner throws(JSONShapeError) in try RunTally(&inner) } ?? RunTally()
        shadow = try reader.object("shadow") { inner throws(JSONShapeError) in try RunTally(&inner) } ?? RunTally()
        compared = try reader.required("compared")
        differing = try reader.required("differing")
        detours = try reader.required("detours")
        firstDifference = try reader.optional("firstDifference")
        if reader.has("noise") { noise = try NoiseBaseline(json: try reader.required("noise")) }
    }
}
