internal import JSON

/// What an extension subscribes to, Telemetry API 2022-07-01 (and the Logs API 2020-08-15): the body of its request, checked
/// against the schema that AWS's emulator has.
package struct TelemetrySubscription: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case platform, function, `extension`
    }

    package enum Destination: Hashable, Sendable {
        /// POST of a JSON array to this port and path inside.
        case http(port: UInt16, path: String, method: String)
        /// One JSON object a line.
        case tcp(port: UInt16)
    }

    package var kinds: Set<Kind>
    package var destination: Destination
    package var maxItems = 10_000
    package var maxBytes = 262_144
    package var timeoutMilliseconds = 1000
    package var isLogsAPI: Bool

    /// - Throws: `Malformed` that names the field and what is allowed.
    package init(_ body: [UInt8], isLogsAPI: Bool) throws(Malformed) {
        self.isLogsAPI = isLogsAPI
        let json: JSONValue
        do { json = try JSONParser.parse(body) } catch { throw Malformed("the body is no JSON: \(error)") }
        guard let object = json.object else { throw Malformed("the body is no object") }
        let versions = isLogsAPI ? ["2020-08-15", "2021-03-18"] : ["2022-07-01", "2022-12-13", "2025-01-29"]
        if let version = object["schemaVersion"] {
            guard let text = version.string, versions.contains(text) else {
                throw Malformed("schemaVersion: one of \(versions.joined(separator: ", "))")
            }
        } else if !isLogsAPI {
            throw Malformed("schemaVersion: it is missing")
        }
        let names = object["types"]?.array?.map { $0.string ?? "" } ?? []
        kinds = Set(names.compactMap(Kind.init))
        guard !names.isEmpty, kinds.count == names.count else {
            throw Malformed("types: each once, out of platform, function, extension")
        }
        destination = try Self.destination(object["destination"])
        if let buffering = object["buffering"] {
            guard buffering.object != nil else { throw Malformed("buffering: an object") }
            maxItems = try Self.number(buffering["maxItems"], "maxItems", 1000...10_000, maxItems)
            maxBytes = try Self.number(buffering["maxBytes"], "maxBytes", 262_144...1_048_576, maxBytes)
            timeoutMilliseconds = try Self.number(buffering["timeoutMs"], "timeoutMs", 25...30_000, timeoutMilliseconds)
        }
    }

    package struct Malformed: Error, Hashable, Sendable {
        package var problem: String
        init(_ problem: String) { self.problem = problem }
    }

    private static func number(
        _ value: JSONValue?, _ name: String, _ range: ClosedRange<Int>, _ otherwise: Int
    ) throws(Malformed) -> Int {
        guard let value else { return otherwise }
        guard let number = value.integer, range.contains(Int(number)) else {
            throw Malformed("buffering.\(name): a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    private static func destination(_ value: JSONValue?) throws(Malformed) -> Destination {
        guard let value, let name = value["protocol"]?.string else {
            throw Malformed("destination: an object with protocol \"HTTP\" and URI, or \"TCP\" and port")
        }
        switch name {
        case "TCP":
            guard let number = value["port"]?.integer, let port = UInt16(exactly: number), port > 0 else {
                throw Malformed("destination.port: a number from 1 to 65535")
            }
            return .tcp(port: port)
        case "HTTP":
            guard let uri = value["URI"]?.string ?? value["uri"]?.string else { throw Malformed("destination.URI: it is missing") }
            let method = value["method"]?.string ?? "POST"
            guard method == "POST" || method == "PUT" else { throw Malformed("destination.method: POST or PUT") }
            return try http(uri, method)
        default: throw Malformed("destination.protocol: \"HTTP\" or \"TCP\"")
        }
    }

    /// Only the instance itself can be reached: `sandbox` and its names for itself.
    private static func http(_ uri: String, _ method: String) throws(Malformed) -> Destination {
        let hosts = ["sandbox.localdomain", "sandbox", "localhost", "127.0.0.1"]
        guard uri.hasPrefix("http://") else { throw Malformed("destination.URI: it begins with http://") }
        let rest = uri.dropFirst(7)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, hosts.contains(String(host)) else {
            throw Malformed("destination.URI: its host is sandbox.localdomain, which is the instance itself")
        }
        guard let port = parts.count == 2 ? UInt16(parts[1]) : 80, port > 0, !path.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
            throw Malformed("destination.URI: \"\(uri)\" is none")
        }
        guard port != 9001 else { throw Malformed("destination.URI: port 9001 is the Runtime API's") }
        return .http(port: port, path: path.isEmpty ? "/" : String(path), method: method)
    }
}
