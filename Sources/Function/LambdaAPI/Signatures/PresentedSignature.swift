internal import HTTPServing
internal import Lambda

/// A signature as a request brings it, AWS Signature Version 4, in the header Authorization or in the query.
struct PresentedSignature {
    var keyID: String
    /// "20261123", "us-east-1", "lambda": what the signing key is made for.
    var date: String
    var region: String
    var service: String
    /// In the order in which the client lists them, lower case.
    var signedHeaders: [String]
    var signature: String
    /// "20261123T035156Z", and the same in seconds since 1970.
    var time: String
    var seconds: Int
    /// For how many seconds a presigned URL is good; nil for a header.
    var expires: Int?
    var securityToken: String?

    static let algorithm = "AWS4-HMAC-SHA256"

    /// - Throws: MissingAuthenticationTokenException without one, IncompleteSignatureException when it lacks something.
    init(_ request: HTTPRequest, _ query: QueryItems) throws(LambdaFailure) {
        if let authorization = request.headers["authorization"] {
            guard query["X-Amz-Signature"] == nil else {
                throw .incompleteSignature(
                    "A request is signed in the header Authorization or in the query, not in both.")
            }
            try self.init(header: authorization, request)
        } else if query["X-Amz-Algorithm"] != nil || query["X-Amz-Signature"] != nil {
            try self.init(query)
        } else {
            throw LambdaFailure("MissingAuthenticationTokenException", status: 403, "Missing Authentication Token")
        }
    }

    private init(header: String, _ request: HTTPRequest) throws(LambdaFailure) {
        guard header.hasPrefix(Self.algorithm + " ") else {
            throw .incompleteSignature(
                "Authorization header must begin with '\(Self.algorithm)'; it begins '\(header.prefix(20))'.")
        }
        var parts: [String: String] = [:]
        for part in header.dropFirst(Self.algorithm.count).split(separator: ",") {
            let words = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard words.count == 2, parts.updateValue(Self.trimmed(words[1]), forKey: String(words[0])) == nil else {
                throw .incompleteSignature(
                    "Authorization header has the part '\(part)', which is not NAME=VALUE or comes twice.")
            }
        }
        func part(_ name: String) throws(LambdaFailure) -> String {
            guard let value = parts[name], !value.isEmpty else {
                throw .incompleteSignature("Authorization header requires '\(name)' parameter.")
            }
            return value
        }
        let credential = try Self.credential(try part("Credential"))
        (keyID, date, region, service) = credential
        signedHeaders = try Self.names(try part("SignedHeaders"))
        signature = try part("Signature")
        guard let time = request.headers["x-amz-date"] else {
            throw .incompleteSignature("Authorization header requires existence of an 'X-Amz-Date' header.")
        }
        (self.time, seconds) = try Self.time(time, date)
        securityToken = request.headers["x-amz-security-token"]
    }

    private init(_ query: QueryItems) throws(LambdaFailure) {
        func item(_ name: String) throws(LambdaFailure) -> String {
            guard let value = query[name], !value.isEmpty else {
                throw .incompleteSignature("AWS query-string parameters must include '\(name)'.")
            }
            return value
        }
        guard try item("X-Amz-Algorithm") == Self.algorithm else {
            throw .incompleteSignature("X-Amz-Algorithm must be '\(Self.algorithm)'.")
        }
        let credential = try Self.credential(try item("X-Amz-Credential"))
        (keyID, date, region, service) = credential
        signedHeaders = try Self.names(try item("X-Amz-SignedHeaders"))
        signature = try item("X-Amz-Signature")
        (time, seconds) = try Self.time(try item("X-Amz-Date"), date)
        guard let expires = Int(try item("X-Amz-Expires")), (1...604_800).contains(expires) else {
            throw .incompleteSignature("X-Amz-Expires must be 1 to 604800 seconds.")
        }
        self.expires = expires
        securityToken = query["X-Amz-Security-Token"]
    }

    private static func credential(
        _ text: String
    ) throws(LambdaFailure) -> (keyID: String, date: String, region: String, service: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[4] == "aws4_request", !parts.contains("") else {
            throw .incompleteSignature(
                "Credential must be KEY/DATE/REGION/SERVICE/aws4_request; it is '\(text.prefix(128))'.")
        }
        return (parts[0], parts[1], parts[2], parts[3])
    }

    private static func names(_ text: String) throws(LambdaFailure) -> [String] {
        let names = text.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        guard names.allSatisfy({ HeaderFields.isName($0) && $0 == $0.lowercased() }) else {
            throw .incompleteSignature(
                "SignedHeaders is a list of lower-case names with ';' between them; it is '\(text.prefix(128))'.")
        }
        return names
    }

    private static func time(_ text: String, _ date: String) throws(LambdaFailure) -> (String, Int) {
        guard let seconds = SigningTime.seconds(text) else {
            throw .incompleteSignature("X-Amz-Date must be as 20261123T035156Z; it is '\(text.prefix(64))'.")
        }
        guard text.hasPrefix(date), date.utf8.count == 8 else {
            throw .invalidSignature(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '\(date)' != '\(text.prefix(8))'."
            )
        }
        return (text, seconds)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

extension LambdaFailure {
    static func incompleteSignature(_ message: String) -> LambdaFailure {
        LambdaFailure("IncompleteSignatureException", status: 403, message)
    }

    static func invalidSignature(_ message: String) -> LambdaFailure {
        LambdaFailure("InvalidSignatureException", status: 403, message)
    }
}
