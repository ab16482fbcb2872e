/// Where calls are shifted to, as it is written: `container`, `container=IMAGE`, `standby`, `function=NAME`, `service=URL`.
package struct ShiftTarget: Hashable, Sendable, CustomStringConvertible {
    package enum Rung: String, Hashable, Sendable, CaseIterable {
        /// A container for each call, of the machine's own files or of an image.
        case container
        /// A container that waits in its first read until a call comes.
        case standby
        /// A function of this node.
        case function
        /// A service over HTTP.
        case service
    }

    package var rung: Rung
    /// The image, the function's name, the service's URL.
    package var argument: String?

    package init(_ rung: Rung, _ argument: String? = nil) {
        self.rung = rung
        self.argument = argument
    }

    package init(_ text: String) throws(ShiftProblem) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let rung = Rung(rawValue: parts[0]) else {
            throw ShiftProblem(
                "\"\(text)\" is no place to shift calls to: expected container, container=IMAGE, standby, function=NAME or service=URL"
            )
        }
        let argument = parts.count > 1 ? parts[1] : nil
        if argument == "" { throw ShiftProblem("\"\(text)\": nothing stands behind the =") }
        switch rung {
        case .function where argument == nil: throw ShiftProblem("which function? Write function=NAME")
        case .service where argument == nil:
            throw ShiftProblem("which service? Write service=URL, such as service=http://127.0.0.1:8080/price")
        case .standby where argument != nil:
            throw ShiftProblem("a standby is the program itself, so nothing stands behind \"standby\"")
        default: break
        }
        self.init(rung, argument)
    }

    package var description: String { argument.map { "\(rung.rawValue)=\($0)" } ?? rung.rawValue }
}

/// Why a shift cannot be as it was asked for: a sentence.
package struct ShiftProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable { case invalid, conflict, notFound, unsupported, system }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// What was asked for is wrong by itself.
    package init(_ description: String) { self.init(.invalid, description) }
}
