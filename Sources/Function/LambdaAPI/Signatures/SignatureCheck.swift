internal import Crypto
internal import HTTPServing
internal import JSON
internal import Lambda

/// Verifies AWS Signature Version 4. Pure: the time is a parameter.
///
/// Invariants (tests in SignatureTests):
/// 1. What botocore signs with a key that is known is accepted (`what botocore signs is accepted`).
/// 2. Any change of method, path, query, signed header or payload is refused (`what was changed after it was signed is refused`).
/// 3. A header that steers the service, x-amz-*, counts only when it is signed (`an x-amz header that is not signed is refused`).
/// 4. A signature is good for fifteen minutes around its time, a presigned one until it expires
///    (`a signature is good for fifteen minutes`).
struct SignatureCheck {
    static let skewSeconds = 900

    let keys: AccessKeys
    let region: String

    /// What can be told before the body has come.
    ///
    /// - Parameter services: in whose name it may be signed: "lambda".
    func checkHead(_ request: HTTPRequest, services: [String], now: Int) throws(LambdaFailure) -> PendingSignature {
        guard let query = QueryItems(request.rawQuery, plusIsSpace: false) else {
            throw .invalidSignature("The query has a broken escape.")
        }
        let presented = try PresentedSignature(request, query)
        guard let secret = keys.secret(of: presented.keyID), presented.securityToken == nil else {
            throw LambdaFailure(
                "UnrecognizedClientException", status: 403, "The security token included in the request is invalid.")
        }
        guard services.contains(presented.service) else {
            throw .invalidSignature("Credential should be scoped to correct service: '\(services[0])'.")
        }
        guard presented.region == region else {
            throw .invalidSignature(
                "Credential should be scoped to a valid region, not '\(presented.region)': this node is '\(region)'.")
        }
        try checkTime(presented, now)
        try checkHeaders(presented, request)
        return PendingSignature(presented: presented, query: query, secret: secret)
    }

    private func checkTime(_ presented: PresentedSignature, _ now: Int) throws(LambdaFailure) {
        let end = presented.seconds + (presented.expires ?? Self.skewSeconds)
        guard now <= end else {
            throw .invalidSignature(
                presented.expires != nil
                    ? "Signature expired: \(presented.time) with \(presented.expires!) s is earlier than \(SigningTime.text(now))."
                    : "Signature expired: \(presented.time) is now earlier than \(SigningTime.text(now - Self.skewSeconds)) (\(SigningTime.text(now)) - 15 min.)"
            )
        }
        guard presented.seconds <= now + Self.skewSeconds else {
            throw .invalidSignature(
                "Signature not yet current: \(presented.time) is still later than \(SigningTime.text(now + Self.skewSeconds)) (\(SigningTime.text(now)) + 15 min.)"
            )
        }
    }

    private func checkHeaders(_ presented: PresentedSignature, _ request: HTTPRequest) throws(LambdaFailure) {
        guard presented.signedHeaders.contains("host") else {
            throw .invalidSignature("'Host' must be a 'SignedHeader' in the AWS Authorization.")
        }
        for field in request.headers.fields {
            let name = field.name.lowercased()
            guard name.hasPrefix("x-amz-"), !presented.signedHeaders.contains(name) else { continue }
            throw .invalidSignature("'\(name)' must be a 'SignedHeader' in the AWS Authorization.")
        }
    }
}

/// A signature whose head is in order and whose body is still to come.
struct PendingSignature {
    var presented: PresentedSignature
    var query: QueryItems
    var secret: String

    /// The id of the access key.
    var keyID: String { presented.keyID }

    func check(_ request: HTTPRequest, body: [UInt8]) throws(LambdaFailure) {
        let payloadHash = Hexadecimal.text(Array(SHA256.hash(data: body)))
        if let told = request.headers["x-amz-content-sha256"], told != payloadHash {
            throw .invalidSignature("The body is not the one whose SHA-256 the header x-amz-content-sha256 tells.")
        }
        let canonical = CanonicalRequest.text(
            request, query, signedHeaders: presented.signedHeaders, payloadHash: payloadHash)
        let scope = "\(presented.date)/\(presented.region)/\(presented.service)/aws4_request"
        let text = [
            PresentedSignature.algorithm, presented.time, scope, Hexadecimal.text(Array(SHA256.hash(data: Array(canonical.utf8)))),
        ].joined(separator: "\n")
        guard let signature = Hexadecimal.bytes(presented.signature),
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Array(text.utf8), using: key)
        else {
            throw .invalidSignature(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
                    + "Key and signing method. Consult the service documentation for details.")
        }
    }

    private var key: SymmetricKey {
        var key = SymmetricKey(data: Array(("AWS4" + secret).utf8))
        for part in [presented.date, presented.region, presented.service, "aws4_request"] {
            key = SymmetricKey(data: Self.code(part, key))
        }
        return key
    }

    private static func code(_ text: String, _ key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }
}
