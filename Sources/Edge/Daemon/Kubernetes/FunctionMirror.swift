import Catalog
import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Lambda

/// Shows what is declared through the Lambda API as objects of forkless.dev, so that `kubectl get functions` works. The
/// catalogue is the authority: objects follow it, and nobody else writes them (`ReadOnlyKinds`).
///
/// Invariant: what is in the catalogue is there as an object, and nothing else is.
/// (test: `functions of the Lambda API are objects of the Kubernetes API`)
struct FunctionMirror: Sendable {
    static let namespace = "default"
    private static let functions = resource("functions")
    private static let sources = resource("eventsources")

    let catalog: FunctionCatalog
    let client: any ObjectClient
    let note: @Sendable (String) -> Void

    private static func resource(_ plural: String) -> Resource {
        guard let kind = Schema.kubernetes.kind(group: "forkless.dev", version: "v1", plural: plural) else {
            preconditionFailure("the schema has no \(plural).forkless.dev")
        }
        return Resource(kind)
    }

    /// Follows the catalogue until the task is cancelled.
    func run() async {
        // Changes that come while one is written down are taken together.
        let (changes, input) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        catalog.observe { _ in input.yield() }
        input.yield()
        for await _ in changes {
            do throws(APIFailure) {
                try await show(catalog.functions().map(Self.object), as: Self.functions)
                try await show(catalog.mappings().map(Self.object), as: Self.sources)
            } catch { note("show functions as objects: \(error.message)") }
        }
    }

    private func show(_ wanted: [KubeObject], as resource: Resource) async throws(APIFailure) {
        var there = Dictionary(
            try await client.list(resource, namespace: Self.namespace, labels: .everything).map { ($0.name, $0) }
        ) { first, _ in first }
        for object in wanted {
            guard let old = there.removeValue(forKey: object.name) else {
                var made = try await client.create(resource, object)
                made.status = object.status
                try await client.update(resource, made, subresource: "status")
                continue
            }
            try await change(old, to: object, resource)
        }
        for name in there.keys {
            try await client.delete(resource, namespace: Self.namespace, name, DeletionOptions())
        }
    }

    private func change(_ old: KubeObject, to new: KubeObject, _ resource: Resource) async throws(APIFailure) {
        var current = old
        if Self.differs(old.spec, new.spec) {
            current.spec = new.spec
            current = try await client.update(resource, current, subresource: nil)
        }
        guard Self.differs(current.status, new.status) else { return }
        current.status = new.status
        try await client.update(resource, current, subresource: "status")
    }

    /// Defaults that the server has added are no difference.
    private static func differs(_ old: JSONValue, _ new: JSONValue) -> Bool {
        (new.object?.members ?? []).contains { old[$0.key] != $0.value }
    }

    // What they look like.

    private static func named(_ name: String, _ kind: String) -> KubeObject {
        var object = KubeObject(json: ["apiVersion": "forkless.dev/v1", "kind": .string(kind)])
        object.metadata.name = name
        object.metadata.namespace = namespace
        return object
    }

    /// An object's name has no capitals and no underscores; two functions that differ in nothing else are told apart by
    /// `spec.functionName`, and by what stands behind the name.
    static func objectName(_ function: String) -> String {
        let plain = String(function.lowercased().map { $0 == "_" ? "-" : $0 })
        guard plain != function || plain.hasSuffix("-") || plain.hasPrefix("-") else { return plain }
        var hash: UInt32 = 2_166_136_261
        for byte in function.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let trimmed = plain.split(separator: "-").joined(separator: "-")
        return (trimmed.isEmpty ? "function" : trimmed) + "-" + String(hash, radix: 36)
    }

    private static func object(_ function: DeployedFunction) -> KubeObject {
        var object = named(objectName(function.name), "Function")
        var spec: JSONValue = [
            "functionName": .string(function.name), "memoryMB": .integer(Int64(function.memoryMB)),
            "timeoutSeconds": .integer(Int64(function.timeoutSeconds)), "ephemeralMB": .integer(Int64(function.ephemeralMB)),
        ]
        switch function.runtime {
        case .bootstrap: spec["runtime"] = "provided.al2023"
        case .python(let name): spec["runtime"] = .string(name)
        case .stdio: spec["runtime"] = "forkless.stdio"
        case .image(let id, _, _, _): spec["image"] = .string(id)
        }
        if !function.handler.isEmpty { spec["handler"] = .string(function.handler) }
        object.spec = spec
        object.status = ["state": "Active", "arn": .string(function.arn), "codeDigest": .string(function.codeDigest)]
        return object
    }

    private static func object(_ mapping: EventSourceMapping) -> KubeObject {
        var object = named(mapping.id.lowercased(), "EventSource")
        var spec: JSONValue = [
            "functionName": .string(mapping.function.name), "batchSize": .integer(Int64(mapping.batchSize)),
        ]
        if !mapping.isEnabled { spec["disabled"] = true }
        if mapping.windowSeconds > 0 { spec["windowSeconds"] = .integer(Int64(mapping.windowSeconds)) }
        object.spec = spec
        object.status = [
            "state": .string(mapping.isEnabled ? "Enabled" : "Disabled"), "sourceARN": .string(mapping.sourceARN),
        ]
        return object
    }
}
