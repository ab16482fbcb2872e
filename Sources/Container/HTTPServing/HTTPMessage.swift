/// Header fields of a message, names compared without regard to case, RFC 9110 section 5.
package struct HeaderFields: Hashable, Sendable {
    package var fields: [Field] = []

    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(_ fields: [(String, String)] = []) { self.fields = fields.map { Field($0, $1) } }

    /// The value of the first field of that name. Setting replaces all of them, or removes them with nil.
    package subscript(name: String) -> String? {
        get { fields.first { Self.areEqual($0.name, name) }?.value }
        set {
            fields.removeAll { Self.areEqual($0.name, name) }
            if let newValue { fields.append(Field(name, newValue)) }
        }
    }

    /// Adds a field, whether or not there is one of that name.
    package mutating func add(_ name: String, _ value: String) { fields.append(Field(name, value)) }

    /// Whether two names are the same.
    package static func areEqual(_ a: String, _ b: String) -> Bool {
        guard a.utf8.count == b.utf8.count else { return false }
        var rest = b.utf8.makeIterator()
        for byte in a.utf8 where lower(byte) != lower(rest.next()!) { return false }
        return true
    }

    /// Whether a text can be a name: a token, RFC 9110 section 5.6.2.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "!#$%&'*+-.^_`|~".utf8.contains($0)
                }
            }
    }

    /// Whether a text can be a value: no control character but the tabulator, RFC 9110 section 5.5.
    package static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}

/// The head of a request.
package struct HTTPRequest: Hashable, Sendable {
    /// "GET"
    package var method: String
    /// Path and query as they came, percent-encoding and all: what a signature is made over.
    package var target: String
    package var headers: HeaderFields

    package init(method: String, target: String, headers: HeaderFields = HeaderFields()) {
        self.method = method
        self.target = target
        self.headers = headers
    }

    /// The path as it came.
    package var rawPath: Substring { target.prefix { $0 != "?" } }
    /// What follows the "?", as it came; empty without one.
    package var rawQuery: Substring { target.dropFirst(rawPath.count).dropFirst() }
}

/// An answer with its whole body.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    package var headers: HeaderFields
    package var body: [UInt8]
    /// Nobody misses it before the answer to the request behind it, if one has come already: both are sent in one packet.
    package var mayWait: Bool

    package init(_ status: Int, headers: HeaderFields = HeaderFields(), body: [UInt8] = [], mayWait: Bool = false) {
        self.status = status
        self.headers = headers
        self.body = body
        self.mayWait = mayWait
    }
}
