package import JSON

extension CallFunction {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            try reader.nested("spec"), minimum: try reader.optional("minimum"), maximum: try reader.optional("maximum"))
    }

    package var json: JSONValue {
        .members(("spec", spec.json), ("minimum", minimum?.json), ("maximum", maximum?.json))
    }
}

extension FunctionAnswer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            end: try reader.nested("end"), wasStandby: try reader.flag("wasStandby"),
            queueMicroseconds: try reader.required("queueMicroseconds"),
            runMicroseconds: try reader.required("runMicroseconds"))
    }

    package var json: JSONValue {
        .members(
            ("end", end.json), ("wasStandby", wasStandby.json), ("queueMicroseconds", queueMicroseconds.json),
            ("runMicroseconds", runMicroseconds.json))
    }
}

extension ListFunctions {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init()
    }

    package var json: JSONValue { .object([:]) }
}

extension FunctionList {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(functions: try reader.nestedList("functions"))
    }

    package var json: JSONValue { .members(("functions", .array(functions.map(\.json)))) }
}

extension FunctionSummary {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            name: try reader.required("name"), program: try reader.required("program"),
            arguments: try reader.list("arguments"), waiting: try reader.required("waiting"),
            starting: try reader.required("starting"), busy: try reader.required("busy"),
            minimum: try reader.required("minimum"), maximum: try reader.required("maximum"),
            calls: try reader.required("calls"), misses: try reader.required("misses"))
    }

    package var json: JSONValue {
        .members(
            ("name", name.json), ("program", program.json), ("arguments", arguments.json), ("waiting", waiting.json),
            ("starting", starting.json), ("busy", busy.json), ("minimum", minimum.json), ("maximum", maximum.json),
            ("calls", calls.json), ("misses", misses.json))
    }
}

extension RemoveFunction {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(name: try reader.required("name"))
    }

    package var json: JSONValue { .members(("name", name.json)) }
}
