internal import JSON
internal import KubeObjects

/// What others need to verify the tokens of service accounts themselves: OpenID Connect Discovery 1.0 section 3.
///
/// Only somebody who is known gets them. Kubernetes asks for a role besides, which binds all service accounts; what the
/// documents hold are public keys.
struct OpenIDDocuments: Sendable {
    private let configuration: [UInt8]
    private let keySet: [UInt8]

    init(_ tokens: ServiceAccountTokens) {
        let issuer = tokens.issuer
        configuration = JSONWriter.bytes([
            "issuer": .string(issuer), "jwks_uri": .string(issuer + "/openid/v1/jwks"),
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        ])
        keySet = JSONWriter.bytes(tokens.keys.keySet)
    }

    /// nil: the path is none of theirs.
    func answer(_ request: APIRequest) -> APIResponse? {
        let (type, body): (String, [UInt8])
        switch request.path {
        case [".well-known", "openid-configuration"]: (type, body) = ("application/json", configuration)
        case ["openid", "v1", "jwks"]: (type, body) = ("application/jwk-set+json", keySet)
        default: return nil
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            return APIResponse(
                failure: APIFailure(
                    405, "MethodNotAllowed", "the server does not allow this method on the requested resource"))
        }
        guard request.user.groups.contains("system:authenticated") else {
            let path = "/" + request.path.joined(separator: "/")
            return APIResponse(
                failure: APIFailure(
                    403, "Forbidden", "forbidden: User \"\(request.user.name)\" cannot get path \"\(path)\"",
                    details: [:]))
        }
        return APIResponse(
            200, headers: [("Content-Type", type), ("Cache-Control", "public, max-age=3600")], body: body)
    }
}

extension APIResponse {
    /// A Status.
    init(failure: APIFailure) {
        var headers = [("Content-Type", "application/json")]
        if let seconds = failure.details?["retryAfterSeconds"]?.integer {
            headers.append(("Retry-After", String(seconds)))
        }
        self.init(failure.code, headers: headers, body: JSONWriter.bytes(failure.status) + [UInt8(ascii: "\n")])
    }
}
