package import JSON

/// What was asked for: which program goes where, how far, and under which conditions.
package struct ShiftSpec: Hashable, Sendable {
    /// As it was named, absolute.
    package var program: String
    package var target: ShiftTarget?
    /// Where it begins.
    package var stage: ShiftStage
    /// While the target answers some calls: of a hundred calls that the original answers, those that are compared as well.
    package var comparePercent: Int
    /// Of a hundred calls that would be compared with the target, those that the original runs twice instead, to learn what
    /// differs by itself. 0 unless somebody has said that the program may be run twice.
    package var controlPercent: Int
    /// How a function or a service gets a call.
    package var payload: PayloadForm
    /// Whether calls that inherit descriptors beyond the standard streams go to the target, which does not get them.
    package var dropsDescriptors: Bool
    package var allowed: [DifferenceRule]
    /// Files that calls write, compared like the streams: paths below the working directory of the call, or absolute ones.
    package var outputFiles: [String]
    package var limits: ShiftLimits
    /// nil: it stays where it is until somebody says otherwise.
    package var promotion: [PromotionStep]?

    package init(
        program: String, target: ShiftTarget?, stage: ShiftStage, comparePercent: Int = 0, controlPercent: Int = 0,
        payload: PayloadForm = .plain, dropsDescriptors: Bool = false, allowed: [DifferenceRule] = [],
        outputFiles: [String] = [], limits: ShiftLimits = ShiftLimits(),
        promotion: [PromotionStep]? = nil
    ) {
        self.program = program
        self.target = target
        self.stage = stage
        self.comparePercent = comparePercent
        self.controlPercent = controlPercent
        self.payload = payload
        self.dropsDescriptors = dropsDescriptors
        self.allowed = allowed
        self.outputFiles = outputFiles
        self.limits = limits
        self.promotion = promotion
    }

    package var json: JSONValue {
        var object = JSONObject()
        object["program"] = .string(program)
        object["to"] = target.map { .string("\($0)") }
        object["mode"] = .string(stage.mode.rawValue)
        if stage.mode == .canary { object["percent"] = stage.percent.json }
        object["comparePercent"] = comparePercent.json
        object["controlPercent"] = controlPercent.json
        if payload != .plain { object["payload"] = .string(payload.rawValue) }
        if dropsDescriptors { object["dropDescriptors"] = true }
        object["allow"] = .array(allowed.map { .string("\($0)") })
        object["outputFiles"] = .array(outputFiles.map { .string($0) })
        object["limits"] = limits.json
        object["promote"] = promotion.map { .array($0.map { .string("\($0)") }) }
        return .object(object)
    }

    package init(json: JSONValue) throws(ShiftProblem) {
        do { try self.init(reading: json) } catch let problem as ShiftProblem {
            throw problem
        } catch let problem as RuleProblem {
            throw ShiftProblem("a rule for what may differ, \(problem)")
        } catch { throw ShiftProblem("read what to shift: \(error)") }
    }

    private init(reading json: JSONValue) throws {
        var reader = try JSONObjectReader(json)
        program = try reader.required("program")
        target = try reader.optional("to", as: String.self).map { try ShiftTarget($0) }
        let modeName: String = try reader.required("mode")
        guard let mode = ShiftMode(rawValue: modeName) else {
            throw reader.error("mode", "expected measure, shadow, canary or full")
        }
        let percent: Int? = try reader.optional("percent")
        guard let stage = ShiftStage(mode, percent: percent) else {
            throw reader.error(
                "percent",
                mode == .canary ? "a canary needs 1 to 99" : "only a canary has a percentage, not \(mode.rawValue)")
        }
        self.stage = stage
        comparePercent = try Self.percent("comparePercent", &reader)
        controlPercent = try Self.percent("controlPercent", &reader)
        let form: String = try reader.optional("payload") ?? PayloadForm.plain.rawValue
        guard let payload = PayloadForm(rawValue: form) else {
            throw reader.error("payload", "expected plain or wrapped")
        }
        self.payload = payload
        dropsDescriptors = try reader.optional("dropDescriptors") ?? false
        allowed = try reader.list("allow", of: String.self).map { try DifferenceRule($0) }
        outputFiles = try reader.list("outputFiles")
        limits =
            try reader.object("limits") { inner throws(JSONShapeError) in try ShiftLimits(&inner) } ?? ShiftLimits()
        promotion =
            reader.has("promote") ? try reader.list("promote", of: String.self).map { try PromotionStep($0) } : nil
        if promotion == nil { _ = try reader.list("promote", of: String.self) }
        try reader.refuseUnknown()
        try check()
    }

    private static func percent(_ name: String, _ reader: inout JSONObjectReader) throws(JSONShapeError) -> Int {
        let value = try reader.optional(name, as: Int.self) ?? 0
        guard (0...100).contains(value) else { throw reader.error(name, "expected 0 to 100") }
        return value
    }

    /// What cannot be, by itself.
    private func check() throws(ShiftProblem) {
        guard program.hasPrefix("/"), !program.utf8.contains(0) else {
            throw ShiftProblem("the program \"\(program)\" has to be named by an absolute path")
        }
        if target == nil, stage.mode != .measure || promotion != nil {
            throw ShiftProblem(
                "where to? \(stage.mode == .measure ? "A promotion" : "Mode \(stage.mode.rawValue)") needs --to")
        }
        if controlPercent > 0, controlPercent > 50 {
            throw ShiftProblem(
                "controlPercent \(controlPercent): more than half of the comparisons would compare the original with itself"
            )
        }
        let isPayload = target.map { $0.rung == .function || $0.rung == .service } ?? false
        if payload != .plain, !isPayload {
            throw ShiftProblem(
                "payload \(payload.rawValue) is for functions and services: a program gets its call as it is")
        }
        if dropsDescriptors, target == nil || isPayload {
            throw ShiftProblem("dropDescriptors is for containers and standbys")
        }
        if comparePercent > 0, stage.mode != .canary, promotion?.contains(where: { $0.stage.mode == .canary }) != true {
            throw ShiftProblem(
                "comparePercent is for a canary: a shadow compares every call, measure and full compare none")
        }
        if Set(outputFiles).count != outputFiles.count { throw ShiftProblem("an output file is named twice") }
        for file in outputFiles where file.isEmpty || file.utf8.contains(0) || file.split(separator: "/").contains("..")
        {
            throw ShiftProblem(
                "output file \"\(file)\": name a file below the working directory of a call, or an absolute path, without .."
            )
        }
        if let promotion { try PromotionStep.check(promotion, from: stage) }
    }
}
