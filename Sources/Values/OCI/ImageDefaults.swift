internal import JSON

/// What an image proposes for its containers (image-spec config.md, "config").
///
/// All of it is somebody else's text: it proposes, and no field reaches an option of the engine that is not named
/// here (CVE-2026-53488: labels are data).
///
/// Invariants (each with a test in ImageConfigTests):
/// 1. No text holds NUL.
/// 2. `env` is as written; `environment` leaves out entries without "=", which name no value: none is ever taken
///    from the machine's environment (CVE-2026-57231).
package struct ImageDefaults: Hashable, Sendable {
    /// "USER", "UID", "USER:GROUP" or the like; empty is root.
    package var user = ""
    /// "NAME=VALUE", as written.
    package var env: [String] = []
    /// nil when the image has none.
    package var entrypoint: [String]?
    /// nil when the image has none.
    package var cmd: [String]?
    /// Empty is "/".
    package var workingDirectory = ""
    package var exposedPorts: [ContainerPort] = []
    /// Paths in the container.
    package var volumes: [String] = []
    package var labels: [String: String] = [:]
    /// A name or a number; empty is SIGTERM.
    package var stopSignal = ""
    package var healthcheck: Healthcheck?
    /// What runs the shell forms of a Dockerfile; nil is /bin/sh -c.
    package var shell: [String]?
    /// Instructions for images built from this one.
    package var onBuild: [String] = []

    package init() {}

    /// The variables with their values, the last one of a name, in the order of their first appearance.
    package var environment: [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        var places: [String: Int] = [:]
        for entry in env {
            guard let sign = entry.utf8.firstIndex(of: UInt8(ascii: "=")), sign != entry.startIndex else { continue }
            let pair = (String(entry[..<sign]), String(entry[entry.utf8.index(after: sign)...]))
            if let place = places[pair.0] {
                result[place] = pair
            } else {
                places[pair.0] = result.count
                result.append(pair)
            }
        }
        return result
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        user = try reader.optional("User") ?? ""
        env = try reader.list("Env")
        entrypoint = try Self.words(&reader, "Entrypoint")
        cmd = try Self.words(&reader, "Cmd")
        workingDirectory = try reader.optional("WorkingDir") ?? ""
        exposedPorts = try Self.keys(&reader, "ExposedPorts").map { text throws(JSONShapeError) in
            guard let port = ContainerPort(text) else {
                throw reader.error("ExposedPorts", "expected names such as \"80/tcp\", found \"\(text)\"")
            }
            return port
        }.sorted()
        volumes = try Self.keys(&reader, "Volumes").sorted()
        labels = try reader.dictionary("Labels")
        stopSignal = try reader.optional("StopSignal") ?? ""
        healthcheck = try reader.object("Healthcheck") { check throws(JSONShapeError) in try Healthcheck(reading: &check) }
        shell = try Self.words(&reader, "Shell")
        onBuild = try reader.list("OnBuild")
    }

    private static func words(_ reader: inout JSONObjectReader, _ key: String) throws(JSONShapeError) -> [String]? {
        let value: JSONValue? = try reader.optional(key)
        return value == nil ? nil : try reader.list(key)
    }

    private static func keys(_ reader: inout JSONObjectReader, _ key: String) throws(JSONShapeError) -> [String] {
        let object: JSONObject? = try reader.optional(key)
        return object?.keys ?? []
    }

    /// Writes the fields into `json`, whose other members stay.
    func write(into json: inout JSONValue) {
        func set(_ key: String, _ value: JSONValue?) { json[key] = value }
        set("User", user.isEmpty ? nil : .string(user))
        set("ExposedPorts", Self.object(exposedPorts.map(\.description)))
        set("Env", env.isEmpty ? nil : env.json)
        set("Entrypoint", entrypoint?.json)
        set("Cmd", cmd?.json)
        set("Volumes", Self.object(volumes))
        set("WorkingDir", workingDirectory.isEmpty ? nil : .string(workingDirectory))
        set("Labels", labels.isEmpty ? nil : labels.json)
        set("StopSignal", stopSignal.isEmpty ? nil : .string(stopSignal))
        set("Healthcheck", healthcheck?.json)
        set("Shell", shell?.json)
        set("OnBuild", onBuild.isEmpty ? nil : onBuild.json)
    }

    private static func object(_ keys: [String]) -> JSONValue? {
        guard !keys.isEmpty else { return nil }
        var object = JSONObject()
        for key in keys.sorted() { object[key] = .object([:]) }
        return .object(object)
    }
}
