package import JSON
import Linux
import Networking
import OCI

extension ListContainers {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            all: try reader.flag("all"), labels: try reader.dictionary("labels"), filters: try reader.list("filters"),
            limit: try reader.optional("limit"), sizes: try reader.flag("sizes"))
    }

    package var json: JSONValue {
        .members(
            ("all", all.json), ("labels", labels.json), ("filters", filters.json), ("limit", limit?.json),
            ("sizes", sizes.json))
    }
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
        ports = try reader.nestedList("ports")
        exposedPorts = try reader.parsedList("exposedPorts", "a port (80 or 53/udp)") { ContainerPort($0) }
        networks = try reader.list("networks")
        image = try reader.optional("image") ?? ""
        sizeBytes = try reader.optional("sizeBytes")
    }

    package var json: JSONValue {
        .members(
            ("id", id.json), ("name", name.json), ("program", program.json), ("arguments", arguments.json),
            ("phase", .string(phase.rawValue)), ("createdAt", createdAt.json), ("startedAt", startedAt?.json),
            ("pid", pid?.json), ("end", end?.json), ("rung", .string(rung.rawValue)), ("labels", labels.json),
            ("health", (health?.rawValue).map { .string($0) }), ("ports", .array(ports.map(\.json))),
            ("exposedPorts", exposedPorts.map(\.description).json), ("networks", networks.json), ("image", image.json),
            ("sizeBytes", sizeBytes?.json))
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
            isLogged: try reader.flag("isLogged"), places: try reader.nestedList("places"))
        restarts = try reader.optional("restarts") ?? 0
        health = try reader.nestedIfThere("health")
    }

    package var json: JSONValue {
        .members(
            ("summary", summary.json), ("spec", spec.json), ("startMicroseconds", startMicroseconds?.json),
            ("wasPrepared", wasPrepared?.json), ("startError", startError?.json), ("starts", starts.json),
            ("directory", directory.json), ("isLogged", isLogged.json),
            ("restarts", restarts.json), ("health", health?.json), ("places", .array(places.map(\.json))))
    }
}

extension ContainerPlace {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        guard let ipv4 = try reader.parsed("ipv4", "an address", { IPAddress($0) }) else {
            throw reader.error("ipv4", "expected an address, found nothing")
        }
        self.init(
            network: try reader.required("network"), networkID: try reader.required("networkID"),
            interface: try reader.required("interface"), ipv4: ipv4,
            ipv6: try reader.parsed("ipv6", "an address") { IPAddress($0) },
            hardwareAddress: try reader.required("hardwareAddress"), aliases: try reader.list("aliases"))
    }

    package var json: JSONValue {
        .members(
            ("network", network.json), ("networkID", networkID.json), ("interface", interface.json),
            ("ipv4", ipv4.description.json), ("ipv6", ipv6?.description.json), ("hardwareAddress", hardwareAddress.json),
            ("aliases", aliases.json))
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
