internal import JSON

/// `["a", "b"]` as the arguments of an instruction.
enum JSONForm {
    /// nil: it is no JSON array of strings and, as in Docker, has the other meaning that the instruction gives it.
    static func strings(_ text: [UInt8]) -> [String]? {
        guard text.first == UInt8(ascii: "["), case .array(let elements)? = try? JSONParser.parse(text) else {
            return nil
        }
        var strings: [String] = []
        for element in elements {
            guard case .string(let string) = element else { return nil }
            strings.append(string)
        }
        return strings
    }

    /// An array with numbers or objects in it was meant to be JSON: Docker refuses it, too.
    static func isOtherArray(_ text: [UInt8]) -> Bool {
        guard text.first == UInt8(ascii: "["), case .array? = try? JSONParser.parse(text) else { return false }
        return strings(text) == nil
    }
}
