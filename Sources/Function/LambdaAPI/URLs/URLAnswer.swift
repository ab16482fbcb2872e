internal import HTTPServing
internal import JSON
internal import Lambda

/// What the answer of a function says over HTTP.
enum URLAnswer {
    /// Why an answer is no HTTP response: completes "the function's answer is no HTTP response: ...".
    struct Failure: Error, Hashable { var sentence: String }

    /// An object with `statusCode` is a response; everything else is the body of a 200.
    static func response(_ payload: [UInt8], contentType: String?) throws(Failure) -> HTTPResponse {
        guard let value = try? JSONParser.parse(payload), let object = value.object, object.contains("statusCode")
        else {
            return HTTPResponse(
                200, headers: HeaderFields([("Content-Type", contentType ?? "application/json")]), body: payload)
        }
        var response = try head(object)
        response.body = try body(object)
        if response.headers["content-type"] == nil { response.headers.add("Content-Type", "application/json") }
        return response
    }

    /// Status, fields and cookies, of a whole answer or of the prelude of a streamed one.
    static func head(_ object: JSONObject) throws(Failure) -> HTTPResponse {
        var response = HTTPResponse(200)
        if let code = object["statusCode"] {
            guard let status = code.integer ?? code.string.flatMap({ Int64($0) }), (200...599).contains(status) else {
                throw Failure(sentence: "its statusCode is \(JSONWriter.text(code).prefix(64)), not 200 to 599")
            }
            response.status = Int(status)
        }
        if let fields = object["headers"], !fields.isNull {
            guard let fields = fields.object else { throw Failure(sentence: "its headers are no object") }
            for member in fields.members { response.headers.add(member.key, try text(member.value, of: member.key)) }
        }
        if let cookies = object["cookies"], !cookies.isNull {
            guard let cookies = cookies.array else { throw Failure(sentence: "its cookies are no array") }
            for cookie in cookies { response.headers.add("Set-Cookie", try text(cookie, of: "a cookie")) }
        }
        for field in response.headers.fields
        where !HeaderFields.isName(field.name) || !HeaderFields.isValue(field.value) {
            throw Failure(sentence: "its header \(field.name.prefix(64).debugDescription) cannot be sent over HTTP")
        }
        return response
    }

    private static func text(_ value: JSONValue, of name: String) throws(Failure) -> String {
        switch value {
        case .string(let text): return text
        case .integer, .number, .bool: return JSONWriter.text(value)
        default: throw Failure(sentence: "\(name.prefix(64)) of it is \(value.kindName), not a string")
        }
    }

    private static func body(_ object: JSONObject) throws(Failure) -> [UInt8] {
        guard let body = object["body"], !body.isNull else { return [] }
        guard let text = body.string else { throw Failure(sentence: "its body is \(body.kindName), not a string") }
        guard object["isBase64Encoded"]?.bool == true else { return Array(text.utf8) }
        guard let bytes = Base64.bytes(text) else {
            throw Failure(sentence: "its body is no base64, although isBase64Encoded is true")
        }
        return bytes
    }
}

/// Finds the end of the prelude with which a streamed answer begins: JSON, eight zero bytes, then the body.
struct URLPrelude {
    /// Of a function's answer that begins with a prelude.
    static let contentType = "application/vnd.awslambda.http-integration-response"
    /// Longest prelude, bytes.
    static let limit = 256 << 10

    private var kept: [UInt8] = []
    /// Zero bytes at the end of what is kept.
    private var zeros = 0

    /// Takes a part of the answer. The result is the response's head and the begin of its body, once the prelude is complete.
    mutating func take(_ bytes: [UInt8]) throws(URLAnswer.Failure) -> (head: HTTPResponse, rest: [UInt8])? {
        for (index, byte) in bytes.enumerated() {
            kept.append(byte)
            zeros = byte == 0 ? zeros + 1 : 0
            if zeros == 8 {
                kept.removeLast(8)
                guard let object = (try? JSONParser.parse(kept))?.object else {
                    throw URLAnswer.Failure(sentence: "its prelude is no JSON object")
                }
                return (try URLAnswer.head(object), Array(bytes[(index + 1)...]))
            }
        }
        guard kept.count <= Self.limit else {
            throw URLAnswer.Failure(sentence: "its prelude is longer than \(Self.limit) bytes")
        }
        return nil
    }
}
