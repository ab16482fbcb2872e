import Yams

/// The members of a map in a workload file, read with failures that name line and field.
struct WorkloadDocument {
    /// Where it stands: "programs[1]"; empty for the whole file.
    let path: String
    private let mapping: Node.Mapping
    private var known: Set<String> = []

    static let bytesLimit = 1 << 20

    /// Reads a file's text: YAML, of which JSON is a part.
    init(_ text: String) throws(WorkloadFailure) {
        let root: Node?
        do { root = try Yams.compose(yaml: text, .basic) } catch { throw Self.failure(error) }
        guard let root else { throw WorkloadFailure("", line: nil, "the file is empty") }
        try self.init(root, path: "")
    }

    private init(_ node: Node, path: String) throws(WorkloadFailure) {
        guard case .mapping(let mapping) = node else {
            throw WorkloadFailure(path, line: node.mark?.line, "expected names with values, found \(Self.kind(node))")
        }
        self.mapping = mapping
        self.path = path
        var names: Set<String> = []
        for (key, _) in mapping {
            guard let name = key.scalar?.string else {
                throw WorkloadFailure(path, line: key.mark?.line, "a name must be text")
            }
            guard names.insert(name).inserted else {
                throw WorkloadFailure(path.isEmpty ? name : "\(path).\(name)", line: key.mark?.line, "named twice")
            }
        }
    }

    var line: Int? { mapping.mark?.line }

    /// A text; nil where the member is missing.
    mutating func text(_ name: String) throws(WorkloadFailure) -> String? {
        guard let node = node(name) else { return nil }
        guard case .scalar(let scalar) = node else { throw failure(name, "expected a text, found \(Self.kind(node))") }
        return scalar.string
    }

    /// A number above zero. One that is hardly more would be no rate and no share that anybody could measure.
    mutating func positive(_ name: String) throws(WorkloadFailure) -> Double? {
        guard let text = try text(name) else { return nil }
        guard let number = Double(text), number > 0, number.isFinite, number <= 1e6 else {
            throw failure(name, "expected a number above 0, at most 1000000, found \"\(text)\"")
        }
        guard number >= 1e-6 else { throw failure(name, "expected at least 0.000001, found \"\(text)\"") }
        return number
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int>) throws(WorkloadFailure) -> Int? {
        guard let text = try text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw failure(
                name, "expected a whole number from \(range.lowerBound) to \(range.upperBound), found \"\(text)\"")
        }
        return number
    }

    /// A span of time as flags have it, in nanoseconds.
    mutating func span(_ name: String) throws(WorkloadFailure) -> Int? {
        guard let text = try text(name) else { return nil }
        do throws(FlagError) {
            let span = try DurationFlag.parse(text, flag: name).components
            return Int(span.seconds) * 1_000_000_000 + Int(span.attoseconds / 1_000_000_000)
        } catch { throw failure(name, "expected a time such as 500ms or 10s, found \"\(text)\"") }
    }

    /// One of some words.
    mutating func word(_ name: String, _ words: [String]) throws(WorkloadFailure) -> String? {
        guard let text = try text(name) else { return nil }
        guard words.contains(text) else {
            throw failure(name, "expected \(words.joined(separator: " or ")), found \"\(text)\"")
        }
        return text
    }

    /// A list of texts.
    mutating func texts(_ name: String) throws(WorkloadFailure) -> [String]? {
        guard let node = node(name) else { return nil }
        guard case .sequence(let sequence) = node else {
            throw failure(name, "expected a list, found \(Self.kind(node))")
        }
        var texts: [String] = []
        for (index, element) in sequence.enumerated() {
            guard case .scalar(let scalar) = element else {
                throw WorkloadFailure(
                    "\(path(of: name))[\(index)]", line: element.mark?.line,
                    "expected a text, found \(Self.kind(element))")
            }
            texts.append(scalar.string)
        }
        return texts
    }

    mutating func object(_ name: String) throws(WorkloadFailure) -> WorkloadDocument? {
        guard let node = node(name) else { return nil }
        return try WorkloadDocument(node, path: path(of: name))
    }

    mutating func objects(_ name: String) throws(WorkloadFailure) -> [WorkloadDocument]? {
        guard let node = node(name) else { return nil }
        guard case .sequence(let sequence) = node else {
            throw failure(name, "expected a list, found \(Self.kind(node))")
        }
        var objects: [WorkloadDocument] = []
        for (index, element) in sequence.enumerated() {
            objects.append(try WorkloadDocument(element, path: "\(path(of: name))[\(index)]"))
        }
        return objects
    }

    /// Refuses members that nothing asked for: a misspelt one must not be ignored.
    func refuseUnknown() throws(WorkloadFailure) {
        for (key, _) in mapping {
            guard let name = key.scalar?.string, !known.contains(name) else { continue }
            throw WorkloadFailure(
                path(of: name), line: key.mark?.line,
                "not a known field; known here: \(known.sorted().joined(separator: ", "))")
        }
    }

    func failure(_ name: String, _ problem: String) -> WorkloadFailure {
        let at = mapping.first { $0.key.scalar?.string == name }?.key.mark?.line ?? line
        return WorkloadFailure(path(of: name), line: at, problem)
    }

    /// nil where it is missing or null.
    private mutating func node(_ name: String) -> Node? {
        known.insert(name)
        guard let node = mapping.first(where: { $0.key.scalar?.string == name })?.value else { return nil }
        if case .scalar(let scalar) = node, scalar.style == .plain, ["", "~", "null"].contains(scalar.string) {
            return nil
        }
        return node
    }

    private func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private static func kind(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): "\"\(scalar.string.prefix(40))\""
        case .sequence: "a list"
        case .mapping: "names with values"
        case .alias: "an alias"
        }
    }

    private static func failure(_ error: any Error) -> WorkloadFailure {
        guard let error = error as? YamlError else { return WorkloadFailure("", line: nil, "not YAML: \(error)") }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return WorkloadFailure("", line: mark.line, "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let names, let context):
            return WorkloadFailure("", line: context.mark.line, "named twice: \(names.joined(separator: ", "))")
        default: return WorkloadFailure("", line: nil, "not YAML: \(error)")
        }
    }
}

/// A workload file that cannot be used.
///
/// Reads `line 7: programs[1].rate: expected a number above 0, found "fast"`.
struct WorkloadFailure: Error, Hashable, CustomStringConvertible {
    var path: String
    /// From 1; nil where the file has no such place.
    var line: Int?
    var problem: String

    init(_ path: String, line: Int?, _ problem: String) {
        self.path = path
        self.line = line
        self.problem = problem
    }

    var description: String {
        let place = [line.map { "line \($0)" }, path.isEmpty ? nil : path].compactMap(\.self)
        return (place + [problem]).joined(separator: ": ")
    }
}
