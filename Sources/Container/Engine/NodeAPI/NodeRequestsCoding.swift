package import JSON
import Linux

extension GetVersion {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init()
    }

    package var json: JSONValue { .object([:]) }
}

extension NodeVersion {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(version: try reader.required("version"), api: try reader.required("api"))
    }

    package var json: JSONValue { .members(("version", version.json), ("api", api.json)) }
}

extension GetStatus {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init()
    }

    package var json: JSONValue { .object([:]) }
}

extension NodeStatus {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            version: try reader.required("version"), pid: try reader.required("pid"),
            startedAt: try reader.required("startedAt"), stateDirectory: try reader.required("stateDirectory"),
            runDirectory: try reader.required("runDirectory"), residentBytes: try reader.required("residentBytes"),
            containers: try reader.required("containers"), running: try reader.required("running"),
            keeper: try reader.nestedIfThere("keeper"), remarks: try reader.list("remarks"))
    }

    package var json: JSONValue {
        .members(
            ("version", version.json), ("pid", pid.json), ("startedAt", startedAt.json),
            ("stateDirectory", stateDirectory.json), ("runDirectory", runDirectory.json),
            ("residentBytes", residentBytes.json), ("containers", containers.json), ("running", running.json),
            ("keeper", keeper?.json), ("remarks", remarks.json))
    }
}

extension KeeperSummary {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            pid: try reader.required("pid"), build: try reader.required("build"),
            running: try reader.required("running"), prepared: try reader.required("prepared"),
            templates: try reader.required("templates"), starts: try reader.required("starts"),
            residentBytes: try reader.required("residentBytes"),
            openDescriptors: try reader.required("openDescriptors"))
    }

    package var json: JSONValue {
        .members(
            ("pid", pid.json), ("build", build.json), ("running", running.json), ("prepared", prepared.json),
            ("templates", templates.json), ("starts", starts.json), ("residentBytes", residentBytes.json),
            ("openDescriptors", openDescriptors.json))
    }
}
