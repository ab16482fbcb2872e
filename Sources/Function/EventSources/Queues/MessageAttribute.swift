package import JSON

/// A named value beside the body of a message.
package struct MessageAttribute: Hashable, Sendable {
    /// "String", "Number" or "Binary", with an optional own label: "Number.float".
    package var type: String
    package var value: Value

    package enum Value: Hashable, Sendable {
        case text(String)
        case bytes([UInt8])
    }

    package init(type: String, text: String) {
        self.type = type
        value = .text(text)
    }

    package init(type: String, bytes: [UInt8]) {
        self.type = type
        value = .bytes(bytes)
    }

    /// "String", "Number" or "Binary".
    var baseType: Substring { type.prefix { $0 != "." } }

    /// What it adds to the size of a message: name, type and value.
    func byteCount(named name: String) -> Int {
        let count =
            switch value {
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            }
        return name.utf8.count + type.utf8.count + count
    }
}

extension MessageAttribute: JSONConvertible {
    package static var expectation: String { "a message attribute: DataType with StringValue or BinaryValue" }

    package init?(json: JSONValue) {
        guard let type = json["DataType"]?.string else { return nil }
        if let text = json["StringValue"]?.string {
            self.init(type: type, text: text)
        } else if let bytes = json["BinaryValue"]?.string.flatMap({ Base64.bytes($0) }) {
            self.init(type: type, bytes: bytes)
        } else {
            return nil
        }
    }

    package var json: JSONValue {
        switch value {
        case .text(let text): ["StringValue": .string(text), "DataType": .string(type)]
        case .bytes(let bytes): ["BinaryValue": .string(Base64.text(bytes)), "DataType": .string(type)]
        }
    }
}

/// The digest that clients compare, "Calculating the MD5 message digest for message attributes" in the SQS guide.
enum AttributeDigest {
    static func md5(_ attributes: [String: MessageAttribute]) -> String? {
        guard !attributes.isEmpty else { return nil }
        var bytes: [UInt8] = []
        // By bytes, as the clients sort.
        for (name, attribute) in attributes.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            append(Array(name.utf8), to: &bytes)
            append(Array(attribute.type.utf8), to: &bytes)
            switch attribute.value {
            case .text(let text):
                bytes.append(1)
                append(Array(text.utf8), to: &bytes)
            case .bytes(let value):
                bytes.append(2)
                append(value, to: &bytes)
            }
        }
        return Digests.md5(bytes)
    }

    private static func append(_ part: [UInt8], to bytes: inout [UInt8]) {
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(part.count >> shift & 255)) }
        bytes += part
    }
}
