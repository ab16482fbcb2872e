import Catalog
import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Lambda

/// Shows what is in the catalogue as objects of forkless.dev, so that `kubectl get functions` works. Functions may be
/// declared as objects as well (`FunctionObjects`); what the Lambda API changes of them is written into their objects.
///
/// Invariants
/// 1. What is in the catalogue is there as an object, and nothing else is.
///    (test: `functions of the Lambda API are objects of the Kubernetes API`)
/// 2. An object that says what the catalogue says stays as it was written.
///    (test: `a function is declared, changed and deleted with kubectl`)
struct FunctionMirror: Sendable {
    /// Of objects that nobody has made.
    static let namespace = "default"
    static let functionKind = kind("functions").id
    static let functions = Resource(kind("functions"))
    private static let sources = Resource(kind("eventsources"))

    /// How often one change is tried when others write at the same time.
    private static let attempts = 20

    let catalog: FunctionCatalog
    let client: any ObjectClient
    let note: @Sendable (String) -> Void

    private static func kind(_ plural: String) -> Kind {
        guard let kind = Schema.kubernetes.kind(group: "forkless.dev", version: "v1", plural: plural) else {
            preconditionFailure("the schema has no \(plural).forkless.dev")
        }
        return kind
    }

    /// Follows the catalogue until the task is cancelled.
    func run() async {
        // Changes that come while one is written down are taken together.
        let (changes, input) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        catalog.watch { input.yield() }
        input.yield()
        var attempts = 0
        for await _ in changes {
            do throws(APIFailure) {
                try await showFunctions()
                try await showSources()
                attempts = 0
            } catch {
                // Somebody has written an object meanwhile: it is looked at again.
                attempts += 1
                guard [404, 409].contains(error.code), attempts < Self.attempts else {
                    note("show functions as objects: \(error.message)")
                    attempts = 0
                    continue
                }
                try? await Task.sleep(for: .milliseconds(10 * attempts))
                input.yield()
            }
        }
    }

    // Functions.

    /// Objects first and the catalogue then: whoever declares one does it the other way round.
    private func showFunctions() async throws(APIFailure) {
        var there: [String: KubeObject] = [:]
        for object in try await client.list(Self.functions, namespace: nil, labels: .everything) where !object.isBeingDeleted {
            there[FunctionObjects.functionName(object)] = object
        }
        for name in catalog.functions().map(\.name).sorted() {
            let old = there.removeValue(forKey: name)
            guard let declared = try await FunctionObjects.declared(name, catalog) else { continue }
            if let old { try await follow(old, name, declared) } else { try await show(name, declared) }
        }
        for object in there.values {
            try await client.delete(
                Self.functions, namespace: object.namespace, object.name,
                DeletionOptions(uid: object.uid, resourceVersion: object.metadata.resourceVersion))
        }
    }

    private func show(_ name: String, _ declared: FunctionObjects.Declared) async throws(APIFailure) {
        var object = Self.named(Self.objectName(name), "Function")
        object.spec = FunctionDeclaration(declared).spec(name: name)
        let made = try await client.create(Self.functions, object)
        try await tell(FunctionObjects.status(declared, generation: made.metadata.generation), of: made, Self.functions)
    }

    /// Writes into an object what was changed elsewhere; code that is not its any more is left out.
    private func follow(_ old: KubeObject, _ name: String, _ declared: FunctionObjects.Declared) async throws(APIFailure) {
        var current = old
        let now = FunctionDeclaration(declared)
        let isSame = FunctionDeclaration(spec: old.spec, name: name, account: catalog.settings.account) == now
        let hasOtherCode = old.status["codeDigest"] != declared.function["Configuration", "CodeSha256"]
        if !isSame || hasOtherCode && (old.spec["zip"] != nil || old.spec["files"] != nil) {
            var spec = now.spec(name: name)
            if !hasOtherCode { for field in ["zip", "files"] where old.spec[field] != nil { spec[field] = old.spec[field] } }
            current.spec = spec
            current = try await client.update(Self.functions, current, subresource: nil)
        }
        try await tell(
            FunctionObjects.status(declared, generation: current.metadata.generation), of: current, Self.functions)
    }

    // Event sources.

    private func showSources() async throws(APIFailure) {
        var there = Dictionary(
            try await client.list(Self.sources, namespace: Self.namespace, labels: .everything).map { ($0.name, $0) }
        ) { first, _ in first }
        for wanted in catalog.mappings().map(Self.object) {
            guard let old = there.removeValue(forKey: wanted.name) else {
                try await tell(wanted.status, of: try await client.create(Self.sources, wanted), Self.sources)
                continue
            }
            try await change(old, to: wanted)
        }
        for name in there.keys {
            try await client.delete(Self.sources, namespace: Self.namespace, name, DeletionOptions())
        }
    }

    private func change(_ old: KubeObject, to new: KubeObject) async throws(APIFailure) {
        var current = old
        if Self.differs(old.spec, new.spec) {
            current.spec = new.spec
            current = try await client.update(Self.sources, current, subresource: nil)
        }
        try await tell(new.status, of: current, Self.sources)
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

    // Parts.

    private func tell(_ status: JSONValue, of object: KubeObject, _ resource: Resource) async throws(APIFailure) {
        guard Self.differs(object.status, status) else { return }
        var object = object
        object.status = status
        try await client.update(resource, object, subresource: "status")
    }

    /// Defaults that the server has added are no difference.
    private static func differs(_ old: JSONValue, _ new: JSONValue) -> Bool {
        (new.object?.members ?? []).contains { old[$0.key] != $0.value }
    }

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
}
