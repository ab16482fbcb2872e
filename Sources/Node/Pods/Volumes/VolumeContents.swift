import JSON
import KubeObjects
import Linux

/// What the files of a pod's configMap, secret, downwardAPI and projected volumes are, from the objects that there are.
struct VolumeContents: Sendable {
    let pod: KubeObject
    let references: References
    let fields: FieldReference
    let tokens: (any ServiceAccountTokens)?

    private var namespace: String { pod.namespace ?? "default" }

    struct Made: Sendable {
        var files: [VolumeFile] = []
        /// When a token in it has to be another one.
        var refreshAt: Timestamp?
    }

    /// nil: the volume is of another kind.
    func files(of volume: JSONValue, now: Timestamp) async throws(ConfigProblem) -> Made? {
        for key in ["configMap", "secret", "downwardAPI"] {
            guard let source = volume[key], source.object != nil else { continue }
            var made = Made()
            try await add(key, source, mode: Self.mode(source["defaultMode"], 0o644), to: &made, now)
            return made
        }
        guard let projected = volume["projected"], projected.object != nil else { return nil }
        var made = Made()
        let mode = Self.mode(projected["defaultMode"], 0o644)
        for source in projected["sources"]?.array ?? [] {
            guard let member = source.object?.members.first(where: { !$0.value.isNull }) else { continue }
            try await add(member.key, member.value, mode: mode, to: &made, now)
        }
        return made
    }

    static func mode(_ json: JSONValue?, _ fallback: UInt32) -> UInt32 {
        json?.integer.flatMap(UInt32.init(exactly:)).map { $0 & 0o777 } ?? fallback
    }

    private func add(
        _ kind: String, _ source: JSONValue, mode: UInt32, to made: inout Made, _ now: Timestamp
    ) async throws(ConfigProblem) {
        switch kind {
        case "configMap": try await add(.configMaps, source["name"]?.string ?? "", source, mode, to: &made)
        case "secret":
            try await add(.secrets, (source["secretName"] ?? source["name"])?.string ?? "", source, mode, to: &made)
        case "downwardAPI": try addFields(source, mode, to: &made)
        case "serviceAccountToken": try await addToken(source, mode, to: &made, now)
        default: throw ConfigProblem("the projected source \(kind) is not supported by this node")
        }
    }

    private func add(
        _ resource: Resource, _ name: String, _ source: JSONValue, _ mode: UInt32, to made: inout Made
    ) async throws(ConfigProblem) {
        let isOptional = source["optional"]?.bool ?? false
        let word = resource.kind.lowercased()
        let found: [String: [UInt8]]?
        do throws(APIFailure) {
            found =
                resource == .secrets
                ? try await references.secret(namespace, name) : try await references.configMap(namespace, name)
        } catch { throw ConfigProblem("\(word) \"\(name)\": \(error.message)") }
        guard let data = found else {
            if isOptional { return }
            throw ConfigProblem("\(word) \"\(name)\" not found")
        }
        guard let items = source["items"]?.array, !items.isEmpty else {
            for (key, bytes) in data.sorted(by: { $0.key < $1.key }) {
                try put(VolumeFile(path: key, bytes: bytes, mode: mode), &made)
            }
            return
        }
        for item in items {
            let key = item["key"]?.string ?? ""
            guard let bytes = data[key] else {
                if isOptional { continue }
                throw ConfigProblem("references non-existent \(word == "secret" ? "secret" : "config") key: \(key)")
            }
            try put(
                VolumeFile(path: item["path"]?.string ?? key, bytes: bytes, mode: Self.mode(item["mode"], mode)), &made)
        }
    }

    private func addFields(_ source: JSONValue, _ mode: UInt32, to made: inout Made) throws(ConfigProblem) {
        for item in source["items"]?.array ?? [] {
            let value: String?
            if let field = item["fieldRef"] {
                value = fields.value(of: field["fieldPath"]?.string ?? "")
            } else {
                value = item["resourceFieldRef"].flatMap { fields.value(of: $0, in: nil) }
            }
            let path = item["path"]?.string ?? ""
            guard let value else { throw ConfigProblem("the file \(path) refers to a field that there is none of") }
            try put(VolumeFile(path: path, bytes: Array(value.utf8), mode: Self.mode(item["mode"], mode)), &made)
        }
    }

    private func addToken(
        _ source: JSONValue, _ mode: UInt32, to made: inout Made, _ now: Timestamp
    ) async throws(ConfigProblem) {
        guard let tokens else { throw ConfigProblem("this node has no source of service account tokens") }
        let seconds = source["expirationSeconds"]?.integer ?? 3600
        let audience = source["audience"]?.string ?? ""
        do throws(APIFailure) {
            let made1 = try await tokens.token(
                namespace: namespace, account: pod.spec["serviceAccountName"]?.string ?? "default",
                audiences: audience.isEmpty ? [] : [audience], seconds: seconds, podName: pod.name, podUID: pod.uid)
            try? put(
                VolumeFile(path: source["path"]?.string ?? "token", bytes: Array(made1.token.utf8), mode: mode), &made)
            // As the kubelet: at four fifths of its life, and at least once a day.
            let life = max(0, made1.expires.nanoseconds - now.nanoseconds)
            let refresh = Timestamp(nanoseconds: now.nanoseconds + min(life / 5 * 4, 86_400 * 1_000_000_000))
            made.refreshAt = min(made.refreshAt ?? refresh, refresh)
        } catch { throw ConfigProblem("failed to fetch token: \(error.message)") }
    }

    private func put(_ file: VolumeFile, _ made: inout Made) throws(ConfigProblem) {
        guard AtomicFiles.isInside(file.path) else {
            throw ConfigProblem("invalid path: \"\(file.path)\": it must be relative, without \"..\"")
        }
        made.files.removeAll { $0.path == file.path }
        made.files.append(file)
    }
}
