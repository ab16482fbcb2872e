import JSON
import KubeObjects

/// The objects that a pod names, as they are now: from the cache, and from the API where that may be behind.
struct References: Sendable {
    let cache: ObjectCache
    let client: any ObjectClient

    /// nil when there is none.
    /// - Throws: when the API cannot say.
    func find(_ resource: Resource, namespace: String?, _ name: String) async throws(APIFailure) -> KubeObject? {
        if let stored = cache.get(resource, namespace: namespace, name) { return KubeObject(stored) }
        do throws(APIFailure) { return try await client.get(resource, namespace: namespace, name) } catch {
            if error.code == 404 { return nil }
            throw error
        }
    }

    /// The data of a config map: keys with bytes; nil when there is none.
    func configMap(_ namespace: String, _ name: String) async throws(APIFailure) -> [String: [UInt8]]? {
        guard let map = try await find(.configMaps, namespace: namespace, name)?.json else { return nil }
        var data: [String: [UInt8]] = [:]
        for member in map["data"]?.object?.members ?? [] { data[member.key] = Array((member.value.string ?? "").utf8) }
        for member in map["binaryData"]?.object?.members ?? [] { data[member.key] = Self.decoded(member.value) }
        return data
    }

    /// The data of a secret; nil when there is none.
    func secret(_ namespace: String, _ name: String) async throws(APIFailure) -> [String: [UInt8]]? {
        guard let secret = try await find(.secrets, namespace: namespace, name)?.json else { return nil }
        var data: [String: [UInt8]] = [:]
        for member in secret["data"]?.object?.members ?? [] { data[member.key] = Self.decoded(member.value) }
        return data
    }

    private static func decoded(_ value: JSONValue) -> [UInt8] { Base64.bytes(value.string ?? "") ?? [] }
}
