package import JSON
import Linux

extension ListContainers {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(all: try reader.flag("all"), labels: try reader.dictionary("labels"))
    }

    package var json: JSONValue { .members(("all", all.json), ("labels", labels.json)) }
}

extension ContainerList {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(containers: try reader.nestedList("containers"))
    }

    package var json: JSONValue { .members(("containers", .array(containers.map(\.json)))) }
}

extension ContainerSummary {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            id: try reader.required("id"), name: try reader.required("name"), program: try reader.required("program"),
            arguments: try reader.list("arguments"), phase: try reader.word("phase"),
            createdAt: try reader.required("createdAt"), startedAt: try reader.optional("startedAt"),
            pid: try reader.optional("pid"), end: try reader.nestedIfThere("end"), rung: try reader.word("rung"),
            labels: try reader.dictionary("labels"))
        health = try reader.wordIfThere("health")
    }

    package var json: JSONValue {
        .members(
            ("id", id.json), ("name", name.json), ("program", program.json), ("arguments", arguments.json),
            ("phase", .string(phase.rawValue)), ("createdAt", createdAt.json), ("startedAt", startedAt?.json),
            ("pid", pid?.json), ("end", end?.json), ("rung", .string(rung.rawValue)), ("labels", labels.json),
            ("health", (health?.rawValue).map { .string($0) }))
    }
}

extension InspectContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { .members(("container", container.json)) }
}

extension ContainerDetails {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            summary: try reader.nested("summary"), spec: try reader.nested("spec"),
            startMicroseconds: try reader.optional("startMicroseconds"),
            wasPrepared: try reader.optional("wasPrepared"), startError: try reader.optional("startError"),
            starts: try reader.required("starts"), directory: try reader.required("directory"),
            isLogged: try reader.flag("isLogged"))
        restarts = try reader.optional("restarts") ?? 0
        health = try reader.nestedIfThere("health")
    }

    package var json: JSONValue {
        .members(
            ("summary", summary.json), ("spec", spec.json), ("startMicroseconds", startMicroseconds?.json),
            ("wasPrepared", wasPrepared?.json), ("startError", startError?.json), ("starts", starts.json),
            ("directory", directory.json), ("isLogged", isLogged.json),
            ("restarts", restarts.json), ("health", health?.json))
    }
}

extension ReadLogs {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            container: try reader.required("container"), follow: try reader.flag("follow"),
            tail: try reader.optional("tail"), since: try reader.optional("since"))
    }

    package var json: JSONValue {
        .members(("container", container.json), ("follow", follow.json), ("tail", tail?.json), ("since", since?.json))
    }
}

extension LogLines {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(lines: try reader.nestedList("lines"))
    }

    package var json: JSONValue { .members(("lines", .array(lines.map(\.json)))) }
}

extension ReadStatistics {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            containers: try reader.list("containers"), follow: try reader.flag("follow"),
            intervalMilliseconds: try reader.required("intervalMilliseconds"))
    }

    package var json: JSONValue {
        .members(
            ("containers", containers.json), ("follow", follow.json),
            ("intervalMilliseconds", intervalMilliseconds.json))
    }
}

extension StatisticsRound {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(containers: try reader.nestedList("containers"))
    }

    package var json: JSONValue { .members(("containers", .array(containers.map(\.json)))) }
}

extension ContainerStatistics {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            id: try reader.required("id"), name: try reader.required("name"), cpus: try reader.optional("cpus"),
            cpuMicroseconds: try reader.optional("cpuMicroseconds"), memoryBytes: try reader.optional("memoryBytes"),
            memoryLimitBytes: try reader.optional("memoryLimitBytes"),
            peakMemoryBytes: try reader.optional("peakMemoryBytes"), pids: try reader.optional("pids"),
            pidsLimit: try reader.optional("pidsLimit"))
    }

    package var json: JSONValue {
        .members(
            ("id", id.json), ("name", name.json), ("cpus", cpus?.json), ("cpuMicroseconds", cpuMicroseconds?.json),
            ("memoryBytes", memoryBytes?.json), ("memoryLimitBytes", memoryLimitBytes?.json),
            ("peakMemoryBytes", peakMemoryBytes?.json), ("pids", pids?.json), ("pidsLimit", pidsLimit?.json))
    }
}
