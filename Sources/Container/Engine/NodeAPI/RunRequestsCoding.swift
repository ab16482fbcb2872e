package import JSON
import Linux

extension RunContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            try reader.nested("spec"), attachment: try reader.word("attachment"),
            terminalSize: try reader.nestedIfThere("terminalSize"), waits: try reader.flag("waits"))
    }

    package var json: JSONValue {
        .members(
            ("spec", spec.json), ("attachment", .string(attachment.rawValue)), ("terminalSize", terminalSize?.json),
            ("waits", waits.json))
    }
}

extension ContainerStarted {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            id: try reader.required("id"), name: try reader.required("name"), pid: try reader.required("pid"),
            startMicroseconds: try reader.required("startMicroseconds"),
            wasPrepared: try reader.required("wasPrepared"))
    }

    package var json: JSONValue {
        .members(
            ("id", id.json), ("name", name.json), ("pid", pid.json), ("startMicroseconds", startMicroseconds.json),
            ("wasPrepared", wasPrepared.json))
    }
}

extension RunAnswer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(started: try reader.nested("started"), end: try reader.nestedIfThere("end"))
    }

    package var json: JSONValue { .members(("started", started.json), ("end", end?.json)) }
}

extension ContainerEnd {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            exitStatus: try reader.optional("exitStatus"), signal: try reader.optional("signal"),
            endedAt: try reader.required("endedAt"), outOfMemory: try reader.flag("outOfMemory"),
            keeperLost: try reader.flag("keeperLost"), userMicroseconds: try reader.required("userMicroseconds"),
            systemMicroseconds: try reader.required("systemMicroseconds"),
            peakMemoryBytes: try reader.required("peakMemoryBytes"), lostLogBytes: try reader.required("lostLogBytes"))
    }

    package var json: JSONValue {
        .members(
            ("exitStatus", exitStatus?.json), ("signal", signal?.json), ("endedAt", endedAt.json),
            ("outOfMemory", outOfMemory.json), ("keeperLost", keeperLost.json),
            ("userMicroseconds", userMicroseconds.json), ("systemMicroseconds", systemMicroseconds.json),
            ("peakMemoryBytes", peakMemoryBytes.json), ("lostLogBytes", lostLogBytes.json))
    }
}

extension ExecuteInContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            container: try reader.required("container"), program: try reader.required("program"),
            arguments: try reader.list("arguments"), environment: try reader.list("environment"),
            directory: try reader.optional("directory"), user: try reader.optional("user"),
            terminalSize: try reader.nestedIfThere("terminalSize"))
    }

    package var json: JSONValue {
        .members(
            ("container", container.json), ("program", program.json), ("arguments", arguments.json),
            ("environment", environment.json), ("directory", directory?.json), ("user", user?.json),
            ("terminalSize", terminalSize?.json))
    }
}

extension ExecuteStarted {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(pid: try reader.required("pid"), execution: try reader.required("execution"))
    }

    package var json: JSONValue { .members(("pid", pid.json), ("execution", execution.json)) }
}

extension ExecuteAnswer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(end: try reader.nested("end"))
    }

    package var json: JSONValue { .members(("end", end.json)) }
}

extension ResizeContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"), size: try reader.nested("size"))
    }

    package var json: JSONValue { .members(("container", container.json), ("size", size.json)) }
}
