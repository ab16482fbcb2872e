import JSON
import Registry

/// What imagePullSecrets say: which credentials are for which repositories, as the kubelet reads them.
///
/// A key is a host with its port, and may go on with a path: then it is for the repositories below. A label of the host may be
/// a pattern: "*.example.com". (kubernetes.io: "Interpretation of config.json")
///
/// Invariants
/// 1. Credentials are for no other host, port or path than their key names, whatever the key.
///    (test: `credentials are for what their key names, and for nothing else`)
/// 2. The key with the longest path goes first. (the same)
struct PullKeyring: Hashable, Sendable {
    /// One key of a secret.
    private struct Entry: Hashable, Sendable {
        var labels: [String]
        var port: Substring?
        var path: String
        var credentials: Credentials
    }

    private var entries: [Entry] = []

    /// What the names of Docker's own registry are keys for.
    private static let dockerHosts: Set<String> = ["index.docker.io", "registry-1.docker.io", "docker.io"]

    init() {}

    /// Takes in the data of a secret of one of the types for registries.
    /// - Returns: whether it is one.
    mutating func add(secret data: [String: [UInt8]]) -> Bool {
        let auths: JSONValue?
        if let bytes = data[".dockerconfigjson"] {
            auths = (try? JSONParser.parse(bytes))?["auths"]
        } else if let bytes = data[".dockercfg"] {
            auths = try? JSONParser.parse(bytes)
        } else {
            return false
        }
        guard let members = auths?.object?.members else { return false }
        for member in members {
            // One entry that is wrong takes none of the others along.
            let alone: JSONValue = ["auths": ["key": member.value]]
            guard let config = try? DockerConfig(JSONWriter.bytes(alone), path: "a secret"),
                let credentials = config.credentials["key"]
            else { continue }
            entries.append(Self.entry(member.key, credentials))
        }
        return true
    }

    private static func entry(_ key: String, _ credentials: Credentials) -> Entry {
        var rest = Substring(key)
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        // Addresses of the API were keys once.
        for version in ["/v1/", "/v2/"] where path.hasPrefix(version) { path = path.dropFirst(version.count - 1) }
        let place = Place(authority)
        let components = path.split(separator: "/")
        return Entry(
            labels: place.labels, port: place.port, path: components.joined(separator: "/"), credentials: credentials)
    }

    /// A host in labels, and its port.
    private struct Place {
        var labels: [String]
        var port: Substring?

        init(_ authority: some StringProtocol) {
            let text = Substring(authority)
            let host: Substring
            if let colon = text.lastIndex(of: ":"), text[text.index(after: colon)...].allSatisfy(\.isNumber) {
                host = text[..<colon]
                port = text[text.index(after: colon)...]
            } else {
                host = text
            }
            let name = PullKeyring.dockerHosts.contains(String(host)) ? "docker.io" : String(host)
            labels = name.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// The credentials to try for a repository, one after the other; empty: it is asked anonymously.
    func credentials(host: String, path: String) -> [Credentials] {
        let place = Place(host)
        let fitting = entries.filter { entry in
            entry.port == place.port && entry.labels.count == place.labels.count
                && (entry.path.isEmpty || "\(path)/".hasPrefix("\(entry.path)/"))
                && zip(entry.labels, place.labels).allSatisfy { Self.matches($0, $1) }
        }
        var seen: Set<Credentials> = []
        let byLength = fitting.enumerated().sorted { a, b in
            (b.element.path.utf8.count, a.offset) < (a.element.path.utf8.count, b.offset)
        }
        return byLength.map(\.element.credentials).filter { seen.insert($0).inserted }
    }

    /// "*" stands for any letters, "?" for one.
    private static func matches(_ pattern: String, _ text: String) -> Bool {
        let (pattern, text) = (Array(pattern.utf8), Array(text.utf8))
        var (at, place) = (0, 0)
        var star: (at: Int, place: Int)?
        while place < text.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at, place)
                at += 1
            } else if at < pattern.count, pattern[at] == UInt8(ascii: "?") || pattern[at] == text[place] {
                at += 1
                place += 1
            } else if let last = star {
                star = (last.at, last.place + 1)
                (at, place) = (last.at + 1, last.place + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
