import Catalog
import JSON
import KubeAPI
import KubeObjects
import KubeSchema
import KubeStore
import Lambda

/// Functions declared as objects of forkless.dev: what an object says is taken over into the catalogue that the Lambda API
/// has, before the object is stored.
///
/// Invariants
/// 1. What the catalogue refuses is not stored, and changes nothing in it.
///    (test: `a function that cannot be is refused with its field`)
/// 2. A function is one object's. (test: `two objects cannot declare one function`)
struct FunctionObjects: ObjectAuthority {
    let resource = FunctionMirror.functions
    /// nil on a node without functions.
    let catalog: FunctionCatalog?
    /// All objects of the kind.
    let objects: @Sendable () async throws(APIFailure) -> [KubeObject]

    /// Who shows as objects what was declared elsewhere.
    static let mirror = "system:forkless"

    func declare(
        _ object: JSONValue, over old: JSONValue?, by user: String, isDryRun: Bool
    ) async throws(APIFailure) -> JSONValue {
        guard user != Self.mirror else { return object }
        var object = KubeObject(json: object)
        let catalog = try served(object)
        let name = Self.functionName(object)
        try await check(object, old.map { KubeObject(json: $0) }, name)
        let code = try code(object)
        let wanted = FunctionDeclaration(spec: object.spec, name: name, account: catalog.settings.account)
        let declared = try await Self.declared(name, catalog)
        guard declared != nil || code != nil else {
            throw Self.refusal(object, "files", .required, "a new function needs its code: `files`, `zip` or `image`")
        }
        let isNew = code.map { code in declared.map { !code.isDeclared($0.function) } ?? true } ?? false
        let change = FunctionChange(
            name, to: wanted, code: isNew ? code : nil, from: declared.map { FunctionDeclaration($0) },
            account: catalog.settings.account)
        try await perform(change, object, code, catalog, isDryRun: isDryRun)
        if !isDryRun, let now = try await Self.declared(name, catalog) {
            object.status = Self.status(now, generation: object.metadata.generation)
        }
        return object.json
    }

    private func perform(
        _ change: FunctionChange, _ object: KubeObject, _ code: FunctionCode?, _ catalog: FunctionCatalog, isDryRun: Bool
    ) async throws(APIFailure) {
        let steps = change.steps.map(\.request)
        guard !steps.isEmpty else { return }
        do throws(CatalogStepFailure) {
            if isDryRun { try catalog.check(together: steps) } else { try await catalog.perform(together: steps) }
        } catch {
            guard let index = error.index, error.failure.status < 500 else { throw .internalError(error.failure.message) }
            func failure(_ steps: [CatalogStep]) -> CatalogStepFailure? {
                do throws(CatalogStepFailure) { try catalog.check(together: steps) } catch { return error }
                return nil
            }
            // What only making the code ready has shown is the code's fault.
            let isCode = failure(steps) == nil
            let field = isCode ? code?.field : change.field(of: index, error.failure.message, failure)
            throw Self.refusal(object, field, .invalid, error.failure.message)
        }
    }

    func withdraw(_ object: JSONValue, by user: String) async throws(APIFailure) {
        guard user != Self.mirror else { return }
        let object = KubeObject(json: object)
        // Without functions there is nothing that could be withdrawn, and objects must be able to go.
        guard let catalog else { return }
        do throws(LambdaFailure) {
            _ = try await catalog.perform(
                .deleteFunction, OperationInput(path: ["FunctionName": Self.functionName(object)]))
        } catch {
            guard error.status != 404 else { return }
            guard error.status == 409 else { throw .internalError("delete the function: \(error.message)") }
            throw .conflict(resource, object.name, error.message)
        }
    }

    // Parts.

    private func served(_ object: KubeObject) throws(APIFailure) -> FunctionCatalog {
        guard let catalog else { throw .unavailable("declare function \(object.name): this node runs no functions") }
        return catalog
    }

    static func functionName(_ object: KubeObject) -> String {
        object.spec["functionName"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? object.name
    }

    /// What the catalogue does not see.
    private func check(_ object: KubeObject, _ old: KubeObject?, _ name: String) async throws(APIFailure) {
        if let old, Self.functionName(old) != name {
            throw Self.refusal(object, "functionName", .invalid, "field is immutable")
        }
        guard FunctionReference.isName(name), name.utf8.count <= 64 else {
            throw Self.refusal(object, "functionName", .invalid, "a name has letters, digits, - and _, and 64 of them at most")
        }
        if old == nil {
            let other = try await objects().first { Self.functionName($0) == name }
            if let other {
                throw Self.refusal(
                    object, "functionName", .forbidden,
                    "function \(name) is declared by \(other.namespace ?? "")/\(other.name)")
            }
        }
        if object.spec["provisionedConcurrency"]?.integer ?? 0 > 0 {
            throw Self.refusal(
                object, "provisionedConcurrency", .forbidden,
                "instances are kept ready for versions and aliases, which the Lambda API has: "
                    + "aws lambda put-provisioned-concurrency-config")
        }
        if object.spec["image"]?.string ?? "" == "" { try checkArchive(object) }
        if let tag = object.spec["tags"]?.object?.keys.first(where: { $0.hasPrefix(FunctionSettings.tagPrefix) }) {
            throw Self.refusal(object, "tags", .forbidden, "\(tag) is a setting, which has a field of its own")
        }
    }

    /// What an image says itself, and a change of the catalogue would leave as it was.
    private func checkArchive(_ object: KubeObject) throws(APIFailure) {
        if object.spec["imageConfig"]?.object?.isEmpty == false {
            throw Self.refusal(object, "imageConfig", .forbidden, "only functions with an `image` have it")
        }
        for field in ["runtime", "handler"] where object.spec[field]?.string ?? "" == "" {
            throw Self.refusal(object, field, .required, "functions without an `image` have it")
        }
    }

    private func code(_ object: KubeObject) throws(APIFailure) -> FunctionCode? {
        do throws(FunctionCode.Problem) { return try FunctionCode.read(object.spec) } catch {
            throw Self.refusal(object, error.field, .invalid, error.sentence)
        }
    }

    private static func refusal(
        _ object: KubeObject, _ field: String?, _ reason: Cause.Reason, _ detail: String
    ) -> APIFailure {
        let spec = FieldPath.root.child("spec")
        // An archive is nothing to read.
        let value = field.flatMap { ["zip", "files"].contains($0) ? "..." : object.spec[$0] } ?? ""
        let cause = Cause(reason: reason, path: field.map { spec.child($0) } ?? spec, value: value, detail: detail)
        return .invalid(InvalidObject(kind: FunctionMirror.functionKind, name: object.name, causes: [cause]))
    }

    // What is declared.

    /// A function as the catalogue answers for it.
    struct Declared {
        /// The answers of GetFunction, GetFunctionEventInvokeConfig and GetFunctionUrlConfig.
        var function: JSONValue
        var eventInvoke: JSONValue?
        var url: JSONValue?
    }

    static func declared(_ name: String, _ catalog: FunctionCatalog) async throws(APIFailure) -> Declared? {
        let input = OperationInput(path: ["FunctionName": name])
        func ask(_ operation: LambdaOperation) async throws(APIFailure) -> JSONValue? {
            do throws(LambdaFailure) { return try await catalog.perform(operation, input).body } catch {
                guard error.status != 404 else { return nil }
                throw .internalError(error.message)
            }
        }
        guard let function = try await ask(.getFunction) else { return nil }
        return Declared(
            function: function, eventInvoke: try await ask(.getFunctionEventInvokeConfig),
            url: try await ask(.getFunctionURLConfig))
    }

    static func status(_ declared: Declared, generation: Int64?) -> JSONValue {
        let known = declared.function["Configuration"]
        var status: JSONValue = [:]
        if let generation { status["observedGeneration"] = .integer(generation) }
        for (field, member) in [("state", "State"), ("arn", "FunctionArn"), ("codeDigest", "CodeSha256")] {
            if let value = known?[member] { status[field] = value }
        }
        if let url = declared.url?["FunctionUrl"] { status["url"] = url }
        return status
    }
}

extension FunctionDeclaration {
    init(_ declared: FunctionObjects.Declared) {
        self.init(function: declared.function, eventInvoke: declared.eventInvoke, url: declared.url)
    }
}
