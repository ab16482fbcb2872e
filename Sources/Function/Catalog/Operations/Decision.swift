internal import JSON
internal import Lambda
internal import Linux

/// What a request comes to: changes to be written, and the answer that is given once they are.
struct Decision {
    var changes: [CatalogChange] = []
    var body: JSONValue?
    var status: Int?

    init(_ changes: [CatalogChange] = [], answer body: JSONValue? = nil) {
        self.changes = changes
        self.body = body
    }

    init(_ changes: [CatalogChange] = [], answer body: JSONObject) {
        self.changes = changes
        self.body = .object(body)
    }
}

/// Time, chance and what other parts of the node know: all that a decision may take besides state and request.
struct Moment {
    var now: Timestamp
    var chance: any RandomNumberGenerator
    var hooks: CatalogHooks
    /// `LastProcessingResult` of mappings, by their ids.
    var processingResults: [String: String] = [:]
    /// Makes a path of /forkless/v1/code/ hard to guess.
    var ticket: (_ path: String) -> String = { _ in "" }

    /// A random UUID, RFC 9562 section 5.4.
    mutating func uuid() -> String {
        var digits = Array(hexadecimal(16).utf8)
        digits[12] = UInt8(ascii: "4")
        digits[16] = Array("89ab".utf8)[Int(digits[16]) & 3]
        var text = String(decoding: digits, as: UTF8.self)
        for at in [20, 16, 12, 8] { text.insert("-", at: text.utf8.index(text.startIndex, offsetBy: at)) }
        return text
    }

    mutating func hexadecimal(_ bytes: Int) -> String {
        var text = ""
        for _ in 0..<(bytes * 2) {
            text.unicodeScalars.append(Unicode.Scalar(Array("0123456789abcdef".utf8)[Int.random(in: 0..<16, using: &chance)]))
        }
        return text
    }

    /// 32 small letters and digits, as ids of function URLs are.
    mutating func urlID() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        return String(decoding: (0..<32).map { _ in letters[Int.random(in: 0..<32, using: &chance)] }, as: UTF8.self)
    }
}

extension Timestamp {
    /// "2026-11-29T03:00:00.000+0000", as the service prints it.
    var lambdaText: String { description.prefix(23) + "+0000" }

    /// Seconds since 1970 with milliseconds, as `Date` is sent in JSON.
    var lambdaSeconds: JSONValue { .number(JSONNumber(Double(nanoseconds / 1_000_000) / 1000)) }
}
