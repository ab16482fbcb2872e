import HTTPServing
import JSON
import KubeObjects
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeServing

/// A door on a port of the loopback interface, with an authority of its own.
struct ServedDoor {
    let directory: TemporaryDirectory
    let authority: NodeAuthority
    let tokens: ServiceAccountTokens
    let objects: FakeObjects
    let service: FakeService
    let door: KubeDoor
    let loops: ServingLoops

    /// "https://127.0.0.1:40123"
    var url: String { "https://\(door.address!)" }
    var caFile: String { directory.path("pki/ca.crt") }
    var port: UInt16 { if case .tcp(_, let port)? = door.address { port } else { 0 } }

    /// Serves while `body` runs, then ends everything.
    static func with<Value>(
        pods: any PodAccess = FakePods(), health: [HealthCheck] = [], loops count: Int = 1,
        heartbeat: Duration = .seconds(30),
        isolation: isolated (any Actor)? = #isolation, _ body: (ServedDoor) async throws -> Value
    ) async throws -> Value {
        let directory = try TemporaryDirectory("door")
        let authority = try await NodeAuthority.open(
            directory: directory.path("pki"), names: ServingNames(hosts: ["node-1"], addresses: []))
        let objects = FakeObjects()
        let tokens = ServiceAccountTokens(authority: authority) { resource, namespace, name throws(APIFailure) in
            objects.find(resource, namespace, name)
        }
        let service = FakeService()
        let loops = ServingLoops(count: count)
        let door = try await KubeDoor.listen(
            on: .tcp("127.0.0.1", 0), authority: authority, service: service, pods: pods,
            authenticator: Authenticator(authority: authority, tokens: tokens), tokens: tokens, health: health,
            loops: loops, heartbeat: heartbeat)
        let served = ServedDoor(
            directory: directory, authority: authority, tokens: tokens, objects: objects, service: service, door: door,
            loops: loops)
        let result: Result<Value, any Error>
        do { result = .success(try await body(served)) } catch { result = .failure(error) }
        await door.close(after: .seconds(2))
        await loops.shutDown()
        return try result.get()
    }

    func curl(_ path: String, _ arguments: [String] = []) async throws -> CommandRunner.Outcome {
        try await CommandRunner.run(
            ["curl", "-sS", "--max-time", "30", "--cacert", caFile] + arguments + [url + path])
    }

    /// The administrator's.
    func curlAsAdministrator(_ path: String, _ arguments: [String] = []) async throws -> CommandRunner.Outcome {
        try await curl(path, ["-H", "Authorization: Bearer \(authority.administratorToken)"] + arguments)
    }

    func json(_ outcome: CommandRunner.Outcome) throws -> JSONValue {
        try #require(try? JSONParser.parse(outcome.output), "\(outcome.text) \(outcome.errorText)")
    }
}

/// What tokens are bound to.
final class FakeObjects: Sendable {
    private let objects = Mutex<[String: KubeObject]>([:])

    func put(_ resource: Resource, _ namespace: String?, _ name: String, uid: String, deletion: String? = nil) {
        var object = KubeObject(json: [:])
        object.metadata.name = name
        object.metadata.namespace = namespace
        object.metadata.uid = uid
        object.metadata.deletionTimestamp = deletion
        let made = object
        objects.withLock { $0["\(resource)/\(namespace ?? "")/\(name)"] = made }
    }

    func remove(_ resource: Resource, _ namespace: String?, _ name: String) {
        objects.withLock { $0["\(resource)/\(namespace ?? "")/\(name)"] = nil }
    }

    func find(_ resource: Resource, _ namespace: String?, _ name: String) -> KubeObject? {
        objects.withLock { $0["\(resource)/\(namespace ?? "")/\(name)"] }
    }
}
