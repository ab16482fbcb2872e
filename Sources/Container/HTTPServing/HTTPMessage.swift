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

    private static func areEqual(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { lower($0) == lower($1) }
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

    package init(_ status: Int, headers: HeaderFields = HeaderFields(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
