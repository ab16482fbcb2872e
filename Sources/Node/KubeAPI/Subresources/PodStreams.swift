import JSON
import KubeObjects
import KubeSchema

/// What a client wants of a pod's containers, read from a query and checked against the pod. Pure.
enum PodStreams {
    /// - Parameter subresource: "log", "exec", "attach", "portforward".
    static func request(
        _ subresource: String, _ pod: KubeObject, _ query: [(name: String, value: String)]
    ) throws(APIFailure) -> PodRequest {
        let reader = QueryReader(query)
        var target = PodTarget(namespace: pod.namespace ?? "", name: pod.name, uid: pod.uid)
        if subresource == "portforward" { return .portForward(target, ports: try ports(reader)) }
        target.container = try container(reader.text("container") ?? "", pod)
        switch subresource {
        case "log": return .log(target, try logOptions(reader, pod))
        case "exec":
            let command = reader.texts("command")
            guard !command.isEmpty else { throw .badRequest("you must specify at least one command for the container") }
            return .execute(target, try streams(reader), command: command)
        default: return .attach(target, try streams(reader))
        }
    }

    private static func names(_ pod: KubeObject, _ list: String) -> [String] {
        (pod.spec[list]?.array ?? []).map { $0["name"]?.string ?? "" }
    }

    /// The container that is meant (`validateContainer` of the pod registry, and the annotation that clients go by).
    static func container(_ asked: String, _ pod: KubeObject) throws(APIFailure) -> String {
        let ordinary = names(pod, "containers")
        let initial = names(pod, "initContainers")
        let all = ordinary + initial + names(pod, "ephemeralContainers")
        if !asked.isEmpty {
            guard all.contains(asked) else {
                throw .badRequest("container \(asked) is not valid for pod \(pod.name)")
            }
            return asked
        }
        if ordinary.count == 1 { return ordinary[0] }
        if let usual = pod.metadata.annotations["kubectl.kubernetes.io/default-container"], ordinary.contains(usual) {
            return usual
        }
        var message =
            "a container name must be specified for pod \(pod.name), choose one of: [\(ordinary.joined(separator: " "))]"
        if !initial.isEmpty { message += " or one of the init containers: [\(initial.joined(separator: " "))]" }
        throw .badRequest(message)
    }

    private static func ports(_ reader: QueryReader) throws(APIFailure) -> [UInt16] {
        var ports: [UInt16] = []
        for text in reader.texts("ports").flatMap({ $0.split(separator: ",") }) {
            guard let port = UInt16(text), port > 0 else { throw .badRequest("invalid port \(String(text).goQuoted)") }
            ports.append(port)
        }
        return ports
    }

    private static func streams(_ reader: QueryReader) throws(APIFailure) -> PodStreamOptions {
        var options = PodStreamOptions()
        options.tty = reader.flag("tty") ?? false
        options.stdin = reader.flag("stdin") ?? false
        options.stdout = reader.flag("stdout") ?? false
        // A terminal has one stream for both.
        options.stderr = (reader.flag("stderr") ?? false) && !options.tty
        guard options.stdin || options.stdout || options.stderr else {
            throw .badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
        return options
    }

    private static func logOptions(_ reader: QueryReader, _ pod: KubeObject) throws(APIFailure) -> PodLogOptions {
        var options = PodLogOptions()
        options.follow = reader.flag("follow") ?? false
        options.previous = reader.flag("previous") ?? false
        options.timestamps = reader.flag("timestamps") ?? false
        options.sinceSeconds = try reader.integer("sinceSeconds")
        options.tailLines = try reader.integer("tailLines")
        options.limitBytes = try reader.integer("limitBytes")
        if let text = reader.text("sinceTime"), !text.isEmpty {
            guard (try? KubeSchema.Timestamp(text, .seconds)) != nil else {
                throw .badRequest("parsing time \(text.goQuoted) as \"2006-01-02T15:04:05Z07:00\" failed")
            }
            options.sinceTime = text
        }
        let stream = reader.text("stream") ?? ""
        options.stream = PodLogOptions.Stream(rawValue: stream)
        try check(options, stream, pod)
        return options
    }

    /// `ValidatePodLogOptions`.
    private static func check(_ options: PodLogOptions, _ stream: String, _ pod: KubeObject) throws(APIFailure) {
        var causes: [Cause] = []
        func invalid(_ field: String, _ value: Int64, _ detail: String) {
            causes.append(
                Cause(reason: .invalid, path: FieldPath.root.child(field), value: .integer(value), detail: detail))
        }
        if let lines = options.tailLines, lines < 0 {
            invalid("tailLines", lines, "must be greater than or equal to 0")
        }
        if let bytes = options.limitBytes, bytes < 1 { invalid("limitBytes", bytes, "must be greater than 0") }
        if let seconds = options.sinceSeconds {
            if options.sinceTime != nil {
                causes.append(
                    Cause(
                        reason: .forbidden, path: FieldPath.root, value: .null,
                        detail: "at most one of `sinceTime` or `sinceSeconds` may be specified"))
            } else if seconds < 1 {
                invalid("sinceSeconds", seconds, "must be greater than 0")
            }
        }
        if options.stream == nil, !["", "All"].contains(stream) {
            causes.append(
                Cause(
                    reason: .notSupported, path: FieldPath.root.child("stream"), value: .string(stream),
                    detail: "supported values: \"All\", \"Stderr\", \"Stdout\""))
        }
        if options.stream != nil, options.tailLines != nil {
            causes.append(
                Cause(
                    reason: .forbidden, path: FieldPath.root, value: .null,
                    detail: "`tailLines` and specific `stream` are mutually exclusive for now"))
        }
        guard !causes.isEmpty else { return }
        throw .invalid(
            InvalidObject(
                kind: GroupVersionKind(group: "", version: "v1", kind: "PodLogOptions"), name: pod.name, causes: causes)
        )
    }
}

extension APIServer {
    /// That who only asks for a stream may also make it (Kubernetes 1.35, AuthorizePodWebsocketUpgradeCreatePermission).
    private func authorizeStream(_ call: Call) throws(APIFailure) {
        let target = AccessAttributes.Target(
            group: call.resource.group, plural: call.resource.plural, subresource: call.subresource, name: call.name,
            namespace: call.namespace)
        try authorize(call.user, AccessAttributes(verb: "create", .resource(target)))
    }

    func answerStream(_ request: APIRequest, _ verb: String, _ call: Call) async throws(APIFailure) -> APIAnswer {
        let subresource = call.subresource ?? ""
        guard verb == "get" || verb == "create" && subresource != "log" else { throw Self.noSuchMethod }
        // WebSockets begin with GET: a program that is started so is no less a change than one that is started with POST.
        if verb == "get", subresource != "log" { try authorizeStream(call) }
        let pod = KubeObject(try await get(call))
        let wanted = try PodStreams.request(subresource, pod, request.query)
        guard pod.spec["nodeName"]?.string?.isEmpty == false else {
            // A pod that is nowhere has written nothing.
            if subresource == "log" {
                return .whole(APIResponse(200, headers: [(name: "Content-Type", value: "text/plain")]))
            }
            throw .badRequest("pod \(pod.name) does not have a host assigned")
        }
        return .pod(wanted)
    }
}
