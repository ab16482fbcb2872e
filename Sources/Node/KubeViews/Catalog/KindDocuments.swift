import Crypto
import JSON
package import KubeObjects
internal import Synchronization

/// Answers what asks for kinds and not for objects: /api, /apis and below, /openapi, /version. Documents are made at
/// the first request for them and kept until the kinds change.
///
/// Invariants (tests in KindDocumentsTests):
/// 1. A document and its ETag are of the kinds as they were when it was asked for.
///    (`documents follow the kinds`)
/// 2. The same kinds give the same bytes and the same ETag. (`documents are the same until something changes`)
package final class KindDocuments: Sendable {
    /// A document as it goes out.
    struct Document: Sendable {
        var bytes: [UInt8]
        var contentType: String
        var tag: String

        init(_ bytes: [UInt8], _ contentType: String = "application/json") {
            self.bytes = bytes
            self.contentType = contentType
            let digits = Array("0123456789ABCDEF".utf8)
            let hash = SHA256.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
            tag = String(decoding: hash, as: UTF8.self)
        }
    }

    private struct State {
        var generation = 0
        var documents: [String: Document] = [:]
    }

    private let kinds: ServedKinds
    private let version: ServerVersion
    private let state = Mutex(State())

    package init(_ kinds: ServedKinds, _ version: ServerVersion) {
        self.kinds = kinds
        self.version = version
    }

    /// - Returns: nil for a path that is not of a document. 404 for a group or version that is not served.
    package func answer(_ request: APIRequest) -> APIResponse? {
        var path = request.path
        // The Python client asks for "/version/".
        if path.count > 1, path.last?.isEmpty == true { path.removeLast() }
        let isRead = request.method == "GET" || request.method == "HEAD"
        switch (path.first, path.count) {
        case ("version", 1): return checked(isRead) { reply(request, named: "version") { version.document } }
        case ("api", 1), ("apis", 1): return checked(isRead) { roots(request, isCore: path[0] == "api") }
        case ("api", 2): return checked(isRead) { resources(request, "", path[1]) }
        case ("apis", 2):
            return checked(isRead) {
                reply(request, named: "group/" + path[1]) { DiscoveryDocuments(self.kinds.kinds).group(path[1]) }
            }
        case ("apis", 3): return checked(isRead) { resources(request, path[1], path[2]) }
        case ("openapi", 2) where path[1] == "v2": return checked(isRead) { swagger(request) }
        case ("openapi", 2) where path[1] == "v3": return checked(isRead) { openAPIIndex(request) }
        case ("openapi", 4...5) where path[1] == "v3":
            return checked(isRead) { openAPI(request, path.dropFirst(2).joined(separator: "/")) }
        default: return nil
        }
    }

    private func checked(_ isRead: Bool, _ answer: () -> APIResponse) -> APIResponse {
        guard !isRead else { return answer() }
        return failure(
            APIFailure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource"))
    }

    // MARK: Discovery

    /// /api and /apis: all at once for clients that take it, which clients see by the Content-Type.
    private func roots(_ request: APIRequest, isCore: Bool) -> APIResponse {
        let name = isCore ? "api" : "apis"
        for range in MediaRange.read(request.headers["accept"] ?? "*/*") {
            guard ["application/json", "application/*", "*/*"].contains(range.type) else { continue }
            guard let form = range.parameters["as"] else {
                if isCore {
                    // It names the address that was asked, so that it is not kept.
                    let host = request.headers["host"] ?? ""
                    return reply(request, Document(JSONWriter.bytes(DiscoveryDocuments.coreVersions(host: host))))
                }
                return reply(request, named: name) { DiscoveryDocuments(self.kinds.kinds).groupList }
            }
            guard form == "APIGroupDiscoveryList", range.parameters["g"] == "apidiscovery.k8s.io",
                let version = range.parameters["v"], version == "v2" || version == "v2beta1"
            else { continue }
            let type = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
            return reply(request, named: "\(name)/\(version)", type) {
                AggregatedDiscovery(documents: DiscoveryDocuments(self.kinds.kinds), version: version).list(
                    isCore: isCore)
            }
        }
        return notAcceptable
    }

    private func resources(_ request: APIRequest, _ group: String, _ version: String) -> APIResponse {
        reply(request, named: "resources/\(group)/\(version)") {
            DiscoveryDocuments(self.kinds.kinds).resources(group: group, version: version)
        }
    }

    // MARK: OpenAPI

    private func openAPIDocument(_ place: String) -> Document? {
        document(named: "openapi/v3/" + place) {
            OpenAPIDocuments(kinds: self.kinds.kinds, version: self.version).v3(place).map {
                Document(JSONWriter.bytes($0))
            }
        }
    }

    /// Where the documents are; each place has the hash of its content, so that clients may keep what they have read.
    private func openAPIIndex(_ request: APIRequest) -> APIResponse {
        reply(request, named: "openapi/v3") {
            var paths = JSONObject()
            for place in OpenAPIDocuments(kinds: self.kinds.kinds, version: self.version).places {
                guard let document = self.openAPIDocument(place) else { continue }
                paths[place] = ["serverRelativeURL": .string("/openapi/v3/\(place)?hash=\(document.tag)")]
            }
            return ["paths": .object(paths)]
        }
    }

    private func openAPI(_ request: APIRequest, _ place: String) -> APIResponse {
        guard Self.takesJSON(request) else { return notAcceptable }
        guard let document = openAPIDocument(place) else { return notFound }
        guard let hash = request.parameter("hash"), !hash.isEmpty else { return reply(request, document, "no-cache") }
        // Of another state of the kinds: the client is led to the one there is now.
        guard hash == document.tag else {
            return APIResponse(301, headers: [("Location", "/openapi/v3/\(place)?hash=\(document.tag)")])
        }
        return reply(request, document, "public, immutable, max-age=31536000")
    }

    /// /openapi/v2, in JSON or for old clients as a message of gnostic.
    private func swagger(_ request: APIRequest) -> APIResponse {
        for range in MediaRange.read(request.headers["accept"] ?? "*/*") {
            switch range.type {
            case "application/json", "application/*", "*/*":
                return reply(request, named: "openapi/v2") {
                    OpenAPIDocuments(kinds: self.kinds.kinds, version: self.version).v2
                }
            case "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", GnosticDocument.contentType:
                let document = document(named: "openapi/v2/protobuf") {
                    let json = OpenAPIDocuments(kinds: self.kinds.kinds, version: self.version).v2
                    return Document(GnosticDocument.bytes(json), GnosticDocument.contentType)
                }
                return document.map { reply(request, $0) } ?? notFound
            default: continue
            }
        }
        return notAcceptable
    }

    private static func takesJSON(_ request: APIRequest) -> Bool {
        MediaRange.read(request.headers["accept"] ?? "*/*").contains {
            ["application/json", "application/*", "*/*"].contains($0.type)
        }
    }

    // MARK: Answers

    private var notFound: APIResponse {
        failure(APIFailure(404, "NotFound", "the server could not find the requested resource"))
    }

    private var notAcceptable: APIResponse {
        failure(APIFailure(406, "NotAcceptable", "only the following media types are accepted: application/json"))
    }

    private func failure(_ failure: APIFailure) -> APIResponse {
        APIResponse(
            failure.code, headers: [("Content-Type", "application/json")], body: JSONWriter.bytes(failure.status))
    }

    /// A document by its name, made when there is none of this generation.
    /// - Parameter make: nil for what is not served.
    private func reply(
        _ request: APIRequest, named name: String, _ contentType: String = "application/json",
        _ make: () -> JSONValue?
    ) -> APIResponse {
        let document = document(named: name) { make().map { Document(JSONWriter.bytes($0), contentType) } }
        return document.map { reply(request, $0) } ?? notFound
    }

    private func document(named name: String, _ make: () -> Document?) -> Document? {
        let generation = kinds.generation
        let known = state.withLock { $0.generation == generation ? $0.documents[name] : nil }
        if let known { return known }
        // Made outside of the lock: the largest takes a while.
        guard let made = make() else { return nil }
        state.withLock { state in
            if state.generation < generation { state = State(generation: generation) }
            if state.generation == generation { state.documents[name] = made }
        }
        return made
    }

    private func reply(_ request: APIRequest, _ document: Document, _ caching: String = "public") -> APIResponse {
        let tag = "\"\(document.tag)\""
        var headers = [
            ("Content-Type", document.contentType), ("ETag", tag), ("Vary", "Accept"),
            ("Cache-Control", caching),
        ]
        let known = (request.headers["if-none-match"] ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        if known.contains(where: { $0 == tag || $0 == "W/" + tag || $0 == "*" }) {
            headers.removeAll { $0.0 == "Content-Type" }
            return APIResponse(304, headers: headers.map { ($0.0, $0.1) })
        }
        return APIResponse(
            200, headers: headers.map { ($0.0, $0.1) }, body: request.method == "HEAD" ? [] : document.bytes)
    }
}
