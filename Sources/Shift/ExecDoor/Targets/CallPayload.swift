internal import JSON
internal import Lambda
import Linux
internal import Spawn

/// How a call becomes the event of a function or the body of a request.
package enum PayloadForm: String, Hashable, Sendable, CaseIterable {
    /// Standard input, byte for byte; words travel beside it (docs/exec-door.md).
    case plain
    /// A JSON object with `arguments`, `environment`, `directory` and `input`, answered by one with `output`, `errors` and
    /// `status`.
    case wrapped
}

/// A call as a function or a service gets it.
package struct CallPayload: Sendable {
    package var head: CallHead
    package var directory: String?
    package var input: [UInt8]

    /// The longest standard input, which is a function's longest event.
    package static let inputLimit = 6 << 20

    package init(head: CallHead, directory: String?, input: [UInt8]) {
        self.head = head
        self.directory = directory
        self.input = input
    }

    /// The words beside a plain payload: argv without argv[0].
    package var words: [String] { Array(head.arguments.strings.dropFirst()) }

    /// `{"custom": {"arguments": [...], "directory": "..."}}`: the client context of an invocation.
    package var clientContext: String {
        var custom = JSONObject()
        custom["arguments"] = .array(words.map { .string($0) })
        custom["directory"] = directory.map { .string($0) }
        return JSONWriter.text(["custom": .object(custom)])
    }

    package func bytes(_ form: PayloadForm) -> [UInt8] {
        guard form == .wrapped else { return input }
        var object = JSONObject()
        object["arguments"] = .array(head.arguments.strings.map { .string($0) })
        var environment = JSONObject()
        for entry in head.environment.strings {
            guard let equals = entry.firstIndex(of: "=") else { continue }
            environment[String(entry[..<equals])] = .string(String(entry[entry.index(after: equals)...]))
        }
        object["environment"] = .object(environment)
        object["directory"] = directory.map { .string($0) }
        Self.set(input, "input", in: &object)
        return Array(JSONWriter.text(.object(object)).utf8)
    }

    /// Text under the name, or what is no UTF-8 under NAMEBase64.
    private static func set(_ bytes: [UInt8], _ name: String, in object: inout JSONObject) {
        if let text = String(validating: bytes, as: UTF8.self) {
            object[name] = .string(text)
        } else {
            object[name + "Base64"] = .string(Base64.text(bytes))
        }
    }
}

/// What a function or a service answered, as a program's end.
package struct PayloadAnswer: Hashable, Sendable {
    package var output: [UInt8]
    package var errors: [UInt8] = []
    package var status: Int32 = 0

    package init(output: [UInt8], errors: [UInt8] = [], status: Int32 = 0) {
        self.output = output
        self.errors = errors
        self.status = status
    }

    /// Takes a wrapped answer apart; nil: it is none.
    package init?(wrapped bytes: [UInt8]) {
        guard let json = try? JSONParser.parse(bytes), case .object(let object) = json else { return nil }
        func stream(_ name: String) -> [UInt8]?? {
            if case .string(let text)? = object[name] { return .some(Array(text.utf8)) }
            if case .string(let text)? = object[name + "Base64"] {
                return Base64.bytes(text).map { .some($0) } ?? nil
            }
            return .some(nil)
        }
        guard let output = stream("output"), let errors = stream("errors") else { return nil }
        let status = object["status"]?.integer ?? 0
        guard (0...255).contains(status) else { return nil }
        self.init(output: output ?? [], errors: errors ?? [], status: Int32(status))
    }
}
