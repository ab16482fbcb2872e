import Catalog
import JSON
import Lambda

/// The requests to the catalogue that make a function what an object declares: one change. Pure.
///
/// Invariant: nothing is asked for that is so already, so that writing an object twice is as writing it once.
/// (test: `what is declared already is not declared again`)
struct FunctionChange {
    struct Step {
        var request: CatalogStep
        /// Of the spec; nil for one that several fields have part in.
        var field: String?
    }

    private(set) var steps: [Step] = []
    private let name: String

    /// Functions made here belong to nobody's role: one of the right form is asked for.
    private static let role: JSONValue = "arn:aws:iam::000000000000:role/forkless"
    private static let statement = "FunctionURLAllowPublicAccess"

    /// - Parameters:
    ///   - current: the function as it is declared; nil when it is not there.
    ///   - code: nil when it is to stay.
    init(
        _ name: String, to wanted: FunctionDeclaration, code: FunctionCode?, from current: FunctionDeclaration?,
        account: LambdaAccount
    ) {
        self.name = name
        let arn = account.function(name)
        if let current {
            if let code { add(.updateFunctionCode, code.field, body: [code.member.key: code.member.value]) }
            let gone = current.tags.keys.filter { wanted.tags[$0] == nil }.sorted()
            if !gone.isEmpty { untag(gone, arn) }
            if wanted.configuration != current.configuration { add(.updateFunctionConfiguration, nil, body: Self.object(wanted.configuration)) }
            let new = wanted.tags.filter { current.tags[$0.key] != $0.value }
            if !new.isEmpty { tag(new, arn) }
        } else if let code {
            var body = Self.object(wanted.configuration)
            body["FunctionName"] = .string(name)
            body["Role"] = Self.role
            body["PackageType"] = wanted.isImage ? "Image" : "Zip"
            body["Code"] = [code.member.key: code.member.value]
            add(.createFunction, nil, path: [:], body: body)
            // Apart, so that it is known what was refused.
            if !wanted.tags.isEmpty { tag(wanted.tags, arn) }
        }
        addBelongings(wanted, current)
    }

    private mutating func addBelongings(_ wanted: FunctionDeclaration, _ current: FunctionDeclaration?) {
        if wanted.reserved != current?.reserved {
            if let reserved = wanted.reserved {
                add(.putFunctionConcurrency, "reservedConcurrency", body: ["ReservedConcurrentExecutions": .integer(reserved)])
            } else {
                add(.deleteFunctionConcurrency, "reservedConcurrency", body: .null)
            }
        }
        if wanted.eventInvoke != current?.eventInvoke {
            if let body = wanted.eventInvoke {
                add(.putFunctionEventInvokeConfig, "eventInvoke", body: body)
            } else {
                add(.deleteFunctionEventInvokeConfig, "eventInvoke", body: .null)
            }
        }
        guard wanted.url != current?.url else { return }
        let (before, after) = (current?.url?["AuthType"], wanted.url?["AuthType"])
        if before == "NONE", after != "NONE" {
            add(.removePermission, "url", path: ["FunctionName": name, "StatementId": Self.statement], body: .null)
        }
        switch (current?.url, wanted.url) {
        case (nil, let body?): add(.createFunctionURLConfig, "url", body: body)
        case (_?, let body?): add(.updateFunctionURLConfig, "url", body: body)
        default: add(.deleteFunctionURLConfig, "url", body: .null)
        }
        guard after == "NONE", before != "NONE" else { return }
        // As SAM and the service's console do.
        add(
            .addPermission, "url",
            body: [
                "StatementId": .string(Self.statement), "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
                "FunctionUrlAuthType": "NONE",
            ])
    }

    private mutating func add(
        _ operation: LambdaOperation, _ field: String?, path: [String: String]? = nil, body: JSONValue
    ) {
        let input = OperationInput(path: path ?? ["FunctionName": name], body: body)
        steps.append(Step(request: CatalogStep(operation, input), field: field))
    }

    private mutating func tag(_ tags: [String: String], _ arn: String) {
        add(
            .tagResource, Self.field(ofTags: tags), path: ["Resource": arn],
            body: ["Tags": Self.object(tags.mapValues { .string($0) })])
    }

    private mutating func untag(_ keys: [String], _ arn: String) {
        let input = OperationInput(path: ["Resource": arn], query: keys.map { ("tagKeys", $0) })
        steps.append(Step(request: CatalogStep(.untagResource, input), field: "tags"))
    }

    private static func object(_ members: [String: JSONValue]) -> JSONValue {
        var object: JSONValue = [:]
        for (key, value) in members.sorted(by: { $0.key < $1.key }) { object[key] = value }
        return object
    }

    /// The field that tags come from, if they have one in common.
    private static func field(ofTags tags: [String: String]) -> String? {
        let fields = Set(
            tags.keys.map { key in
                FunctionDeclaration.settings.first { FunctionSettings.tagPrefix + $0.tag == key }?.field ?? "tags"
            })
        return fields.count == 1 ? fields.first : nil
    }

    // Who is to blame.

    /// The field of the spec that a refused step is refused for: the first whose default would not be refused in this way.
    ///
    /// - Parameter failure: of these steps, were they done; nil: they would be.
    func field(of index: Int, _ message: String, _ failure: ([CatalogStep]) -> CatalogStepFailure?) -> String? {
        let step = steps[index]
        if let field = step.field { return field }
        let isTags = step.request.operation == .tagResource
        let suspects =
            isTags
            ? FunctionDeclaration.settings.map { (member: FunctionSettings.tagPrefix + $0.tag, field: $0.field) }
            : FunctionDeclaration.members.map { (member: $0.member, field: $0.field) }
        for suspect in suspects {
            var request = step.request
            if isTags { request.input.body["Tags"]?[suspect.member] = nil } else { request.input.body[suspect.member] = nil }
            guard request.input.body != step.request.input.body else { continue }
            let other = failure(steps[..<index].map(\.request) + [request])
            if other?.failure.message != message { return suspect.field }
        }
        return isTags ? "tags" : nil
    }
}
