package import JSON
package import Lambda

/// A request to the Lambda API, the SQS-compatible API beside it, or what Forkless adds to both.
package struct LambdaRequest: Hashable, Sendable {
    package var method: String
    /// Path and query, percent-encoded.
    package var target: String
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8]

    package init(_ method: String, _ target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    package init(_ method: String, _ target: String, json: JSONObject) {
        self.init(
            method, target, headers: [("Content-Type", "application/json")], body: JSONWriter.bytes(.object(json)))
    }

    package static func == (a: LambdaRequest, b: LambdaRequest) -> Bool {
        a.method == b.method && a.target == b.target && a.body == b.body
            && a.headers.elementsEqual(b.headers) { $0.name == $1.name && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(method)
        hasher.combine(target)
        hasher.combine(body)
    }
}

/// Whoever answers requests: a node, or a test's idea of one.
package protocol LambdaCaller: Sendable {
    /// The JSON of the answer; null for none.
    ///
    /// - Throws: the API's own errors, and `LambdaFailure.unreachable` when nobody answers.
    func call(_ request: LambdaRequest) async throws(LambdaFailure) -> JSONValue
}

/// Parts of paths.
package enum PathText {
    /// Percent-encoded but for the unreserved characters of RFC 3986, so that it is one part of a path or a query.
    package static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
                result.append(Character(UnicodeScalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}

/// The requests that are made here, with the paths of the service.
package enum LambdaPaths {
    package static let functions = "/2015-03-31/functions"
    package static let mappings = "/2015-03-31/event-source-mappings"

    package static func function(_ name: String, _ rest: String = "") -> String { "\(functions)/\(PathText.encoded(name))\(rest)" }
    package static func layer(_ name: String) -> String { "/2018-10-31/layers/\(PathText.encoded(name))/versions" }
    package static func tags(_ arn: String) -> String { "/2017-03-31/tags/\(PathText.encoded(arn))" }
    package static func concurrency(_ name: String) -> String { "/2017-10-31/functions/\(PathText.encoded(name))/concurrency" }
    package static func reserved(_ name: String) -> String { "/2019-09-30/functions/\(PathText.encoded(name))/concurrency" }
    package static func eventInvoke(_ name: String) -> String { "/2019-09-25/functions/\(PathText.encoded(name))/event-invoke-config" }
    package static func url(_ name: String) -> String { "/2021-10-31/functions/\(PathText.encoded(name))/url" }
    package static func provisioned(_ name: String, _ qualifier: String) -> String {
        "/2019-09-30/functions/\(PathText.encoded(name))/provisioned-concurrency?Qualifier=\(PathText.encoded(qualifier))"
    }
}
