import JSON

/// The notation in which kinds are written down (`Kinds/`): a line for a field, so that a whole type is seen at once
/// and the compiler has one string to read where it would take seconds over a literal of a thousand initialisers.
///
///     package apps/v1 apps                                  package, and the API group that its kinds are in
///     kind Deployment deployments deploy categories=all subresources=status,scale
///     column Ready string -- How many pods are ready.
///     column Suspend boolean wide .spec.suspend -- Shown with -o wide; the value at that path, in kinds without a
///     printer.
///     enum Protocol TCP UDP SCTP
///     type DeploymentSpec -- What a deployment has to reach.
///         replicas 1 int32? default=1 -- How many pods; "?" where 0 is told from a missing value.
///         selector 2 LabelSelector! -- Required.
///         ports 6 [ContainerPort] map=containerPort,protocol merge=containerPort -- A list of type map.
///         volumeSource 2 inline VolumeSource                fields that stand in the JSON of this object
///
/// Types are `string`, `bool`, `int32`, `int64`, `double`, `quantity`, `intOrString`, `time`, `microTime`, `bytes`,
/// `any`, the name of an enum or a type (of the same package, else of core/v1, else of meta/v1), `[T]` and `{T}`.
/// "-" in place of a number means that the message does not have the field.
///
/// Invariant: any text gives parts or an error that names the line. (`a text that is wrong names its line`)
struct SchemaText {
    struct Enumeration {
        var package: String
        var name: String
        var values: [String]
    }

    struct Member {
        var name: String
        var number: Int?
        var isInlined = false
        var type: String
        var isRequired = false
        var tellsZero = false
        var attributes: [String]
        var documentation: String
        var line: Int
    }

    struct Object {
        var package: String
        var name: String
        var isAtomic: Bool
        var documentation: String
        var members: [Member] = []
        var line: Int
    }

    struct KindLine {
        var package: String
        var group: String
        var words: [String]
        var columns: [Kind.Column] = []
        var line: Int
    }

    private(set) var enumerations: [Enumeration] = []
    private(set) var objects: [Object] = []
    private(set) var kinds: [KindLine] = []
    private var package = ""
    private var group = ""

    /// - Throws: `SchemaTextError`, which names file and line.
    init(_ texts: [(file: String, text: String)]) throws(SchemaTextError) {
        for (file, text) in texts {
            package = ""
            let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                do throws(SchemaTextError) {
                    try read(line, number: index + 1)
                } catch {
                    throw SchemaTextError(file: file, line: index + 1, problem: error.problem)
                }
            }
        }
    }

    private mutating func read(_ line: Substring.UTF8View, number: Int) throws(SchemaTextError) {
        let (words, documentation) = Self.split(line)
        guard let first = words.first else { return }
        if first != "package", package.isEmpty { throw SchemaTextError("begin with \"package\"") }
        if line.first == UInt8(ascii: " ") { return try readMember(words, documentation, line: number) }
        switch first {
        case "package":
            guard words.count == 2 || words.count == 3 else { throw SchemaTextError("name a package and its group") }
            package = words[1]
            group = words.count == 3 ? words[2] : ""
        case "kind":
            guard words.count >= 3 else { throw SchemaTextError("name the kind and its plural") }
            kinds.append(KindLine(package: package, group: group, words: words, line: number))
        case "column": try readColumn(words, documentation)
        case "enum":
            guard words.count >= 3 else { throw SchemaTextError("name the enum and its values") }
            let values = words[2...].map { $0 == "\"\"" ? "" : $0 }
            enumerations.append(Enumeration(package: package, name: words[1], values: values))
        case "type":
            guard words.count == 2 || words.count == 3 && words[2] == "atomic" else {
                throw SchemaTextError("have a name, and at most \"atomic\" after it")
            }
            objects.append(
                Object(
                    package: package, name: words[1], isAtomic: words.count == 3, documentation: documentation,
                    line: number))
        default: throw SchemaTextError("begin with package, kind, column, enum or type, not \"\(first)\"")
        }
    }

    /// The words before " -- ", and the sentence after it. Bytes, since Swift's characters cost ten times as much here.
    private static func split(_ line: Substring.UTF8View) -> ([String], String) {
        let words = line.split(separator: UInt8(ascii: " "))
        let dash = words.firstIndex { $0.elementsEqual("--".utf8) }
        let declaration = words[..<(dash ?? words.endIndex)].map { String(Substring($0)) }
        guard let dash, dash + 1 < words.endIndex else { return (declaration, "") }
        return (declaration, words[(dash + 1)...].map { String(Substring($0)) }.joined(separator: " "))
    }

    private mutating func readColumn(_ words: [String], _ documentation: String) throws(SchemaTextError) {
        guard words.count >= 3, !kinds.isEmpty else { throw SchemaTextError("follow a kind, with a name and a type") }
        var (format, priority, path) = ("", 0, String?.none)
        for extra in words[3...] {
            switch extra {
            case "name": format = "name"
            case "wide": priority = 1
            case _ where extra.hasPrefix("."): path = extra
            default: throw SchemaTextError("say \"wide\", \"name\" or a path, not \"\(extra)\"")
            }
        }
        kinds[kinds.count - 1].columns.append(
            Kind.Column(
                name: words[1].split(separator: "_").joined(separator: " "), type: words[2], format: format,
                priority: priority, documentation: documentation, path: path))
    }

    private mutating func readMember(
        _ words: [String], _ documentation: String, line: Int
    ) throws(SchemaTextError) {
        guard !objects.isEmpty else { throw SchemaTextError("have a type before its fields") }
        guard words.count >= 3 else { throw SchemaTextError("have a name, a number and a type") }
        guard words[1] == "-" || Int(words[1]).map({ $0 > 0 }) == true else {
            throw SchemaTextError("have a number, not \"\(words[1])\"")
        }
        var member = Member(
            name: words[0], number: Int(words[1]), type: words[2], attributes: Array(words[3...]),
            documentation: documentation, line: line)
        if words[2] == "inline" {
            guard words.count == 4, member.number != nil else {
                throw SchemaTextError("inline one type, with a number")
            }
            member.isInlined = true
            member.type = words[3]
            member.attributes = []
        } else {
            member.isRequired = member.type.hasSuffix("!")
            if member.isRequired { member.type.removeLast() }
            member.tellsZero = member.type.hasSuffix("?")
            if member.tellsZero { member.type.removeLast() }
        }
        objects[objects.count - 1].members.append(member)
    }
}

/// A schema text that cannot be read. The texts are the program's own, so this is met in tests only.
struct SchemaTextError: Error, Hashable, CustomStringConvertible {
    var file = ""
    var line = 0
    var problem: String

    init(_ problem: String) { self.problem = problem }

    init(file: String, line: Int, problem: String) {
        self.file = file
        self.line = line
        self.problem = problem
    }

    var description: String { "read the schema \(file): line \(line) has to \(problem)" }
}
