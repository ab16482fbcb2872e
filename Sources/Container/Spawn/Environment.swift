import Linux

/// The environment variables of a program.
public enum Environment: Hashable, Sendable {
    /// Those of this process at the moment the template is made (or, for one call, started).
    case inherited
    /// These and no others.
    case exactly([String: String])
    /// Those of this process, with these set, or removed where the value is nil.
    case updating([String: String?])

    /// The variables as execve(2) wants them; what this process had comes first and in its order, the rest by name.
    func block(inheriting parent: () -> [UInt8]) throws(SpawnError) -> StringBlock {
        switch self {
        case .inherited: return StringBlock(bytes: parent())!
        case .exactly(let variables):
            return try Self.sorted(variables.mapValues { $0 }, after: StringBlock())
        case .updating(let changes):
            var kept = StringBlock()
            for entry in StringBlock(bytes: parent())! {
                let name = String(decoding: entry.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
                if changes[name] == nil { kept.append(entry) }
            }
            return try Self.sorted(changes, after: kept)
        }
    }

    private static func sorted(_ variables: [String: String?], after block: StringBlock) throws(SpawnError)
        -> StringBlock
    {
        var block = block
        for name in variables.keys.sorted() {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")), !name.utf8.contains(0) else {
                throw SpawnError(
                    step: "set the environment variable \(name.debugDescription)", code: .invalid,
                    advice: "A name is not empty and holds neither \"=\" nor NUL.")
            }
            guard let value = variables[name]! else { continue }
            try SpawnError.check(value, as: "value of the environment variable \(name)")
            block.append("\(name)=\(value)")
        }
        return block
    }

    /// The value of one variable in a block.
    static func value(of name: String, in block: StringBlock) -> String? {
        let start = Array("\(name)=".utf8)
        for entry in block where entry.starts(with: start) {
            return String(decoding: entry.dropFirst(start.count), as: UTF8.self)
        }
        return nil
    }
}
