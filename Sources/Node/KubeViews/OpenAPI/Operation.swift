import KubeObjects
import KubeSchema

/// What can be done at a path, as OpenAPI tells it.
struct Operation: Sendable {
    /// The HTTP method in small letters.
    let method: String
    /// `x-kubernetes-action`
    let action: String
    /// Whether the answer is a list of objects.
    let answersList: Bool

    static let list = Operation("get", "list", answersList: true)
    static let create = Operation("post", "post")
    static let deleteCollection = Operation("delete", "deletecollection")
    static let get = Operation("get", "get")
    static let replace = Operation("put", "put")
    static let patch = Operation("patch", "patch")
    static let delete = Operation("delete", "delete")

    private init(_ method: String, _ action: String, answersList: Bool = false) {
        self.method = method
        self.action = action
        self.answersList = answersList
    }

    /// How operations are called: "patchAppsV1NamespacedDeployment" begins with this.
    var verb: String {
        switch action {
        case "list": "list"
        case "post": "create"
        case "put": "replace"
        case "get": "read"
        case "deletecollection": "deleteCollection"
        default: action
        }
    }

    var hasBody: Bool { ["post", "put", "patch"].contains(method) }

    /// The query parameters with their types, as kubectl looks for them: `fieldValidation` and `dryRun` decide where
    /// objects are validated.
    var parameters: [(name: String, type: String, documentation: String)] {
        let dryRun = ("dryRun", "string", "All when nothing is to be stored.")
        let manager = ("fieldManager", "string", "Whose change it is.")
        let validation = (
            "fieldValidation", "string", "What is done with unknown fields: Ignore, Warn or Strict."
        )
        let force = ("force", "boolean", "Whether an apply takes fields from others.")
        let selection = [
            ("continue", "string", "Where the next page begins."),
            ("fieldSelector", "string", "Which objects, by fields."),
            ("labelSelector", "string", "Which objects, by labels."),
            ("limit", "integer", "How many objects a page has at most."),
            ("resourceVersion", "string", "Of which version."),
            ("resourceVersionMatch", "string", "How the version is meant: Exact or NotOlderThan."),
            ("timeoutSeconds", "integer", "How long the call may take."),
        ]
        let watching = [
            ("allowWatchBookmarks", "boolean", "Whether a watch tells versions without changes."),
            ("sendInitialEvents", "boolean", "Whether a watch begins with the objects that there are."),
            ("watch", "boolean", "Whether changes are sent as they happen."),
        ]
        switch action {
        case "list": return selection + watching
        case "deletecollection": return [dryRun] + selection
        case "delete":
            return [
                dryRun, ("gracePeriodSeconds", "integer", "How long a graceful deletion takes."),
                ("propagationPolicy", "string", "What becomes of dependents."),
            ]
        case "patch": return [dryRun, manager, validation, force]
        case "post", "put": return [dryRun, manager, validation]
        default: return []
        }
    }
}

/// A path with its operations, for one kind.
struct OperationPath: Sendable {
    /// With places in braces: "/apis/apps/v1/namespaces/{namespace}/deployments/{name}".
    let path: String
    /// Of the answers, and of what is sent.
    let kind: GroupVersionKind
    /// "" or the subresource with a large letter, for the operations' names.
    let suffix: String
    let isNamespaced: Bool
    let operations: [Operation]

    /// All paths of a kind.
    static func all(of served: ServedKind) -> [OperationPath] {
        let kind = served.kind
        let root = kind.id.group.isEmpty ? "/api/\(kind.id.version)" : "/apis/\(kind.id.group)/\(kind.id.version)"
        let place = kind.isNamespaced ? "\(root)/namespaces/{namespace}/\(kind.plural)" : "\(root)/\(kind.plural)"
        func path(
            _ path: String, _ operations: [Operation], _ of: GroupVersionKind? = nil, _ suffix: String = "",
            isNamespaced: Bool? = nil
        ) -> OperationPath {
            OperationPath(
                path: path, kind: of ?? kind.id, suffix: suffix, isNamespaced: isNamespaced ?? kind.isNamespaced,
                operations: operations)
        }
        let verbs = served.verbs
        let all: [Operation] = [.list, .create, .deleteCollection].filter { one in
            switch one.action {
            case "list": verbs.contains("list")
            case "post": verbs.contains("create")
            default: verbs.contains("deletecollection")
            }
        }
        var paths = [path(place, all)]
        guard verbs.contains("get") else { return paths }
        let isReadOnly = !verbs.contains("update")
        paths.append(path(place + "/{name}", isReadOnly ? [.get] : [.get, .replace, .patch, .delete]))
        if kind.isNamespaced {
            paths.append(path("\(root)/\(kind.plural)", [.list], nil, "ForAllNamespaces", isNamespaced: false))
        }
        for sub in Subresource.all(of: kind) {
            let operations: [Operation] = sub.verbs.compactMap { verb in
                switch verb {
                case "get": .get
                case "create": .create
                case "update": .replace
                case "patch": .patch
                default: nil
                }
            }
            let suffix = sub.name.prefix(1).uppercased() + sub.name.dropFirst()
            paths.append(path("\(place)/{name}/\(sub.name)", operations, sub.kind, suffix))
        }
        return paths
    }
}
