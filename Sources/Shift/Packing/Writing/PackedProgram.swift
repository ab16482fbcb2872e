import Linux
package import OCI
package import Observation
package import Planning

/// What the files that go with an image are made from.
package struct PackedProgram: Hashable, Sendable {
    /// The program's path, in the image as on the machine.
    package var program: String
    /// What the image is called.
    package var image: String
    /// Arguments of every call; empty when they differ.
    package var arguments: [String] = []
    package var workingDirectory = "/"
    package var environment: [String] = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    /// A number; nil: root.
    package var uid: UInt32?
    /// Largest resident set seen, bytes.
    package var peakMemoryBytes: Int?
    /// Longest life seen, nanoseconds.
    package var longestNanoseconds: Int?
    /// Directories that it changes.
    package var state: [String] = []
    package var origins: [ProgramOrigin] = []
    /// TCP ports that it listens on.
    package var ports: [Int] = []
    package var packages: [DebianDatabase.Package] = []
    package var exactFiles: [String] = []
    /// Links that belong to no package.
    package var exactLinks: [String: String] = [:]
    package var plan: ProgramPlan?

    package init(program: String, image: String) {
        self.program = program
        self.image = image
    }

    /// What recordings say of it.
    package mutating func take(_ recorded: RecordedProgram, origins: [ProgramOrigin]) {
        self.origins = origins
        let different = Set(recorded.examples.map { Array($0.arguments.dropFirst()) })
        if different.count == 1, recorded.argumentsMissed == 0 { arguments = different.first! }
        if let most = recorded.directories.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key,
            most.hasPrefix("/"), String(validating: RecordedText.bytes(most), as: UTF8.self) == most
        {
            workingDirectory = most
        }
        if recorded.users.count == 1, let user = recorded.users.keys.first, user != 0 { uid = user }
        if !recorded.peakMemory.isEmpty { peakMemoryBytes = recorded.peakMemory.maximum }
        if !recorded.lifetime.isEmpty { longestNanoseconds = recorded.lifetime.maximum }
        let listening =
            recorded.deep?.sockets.filter { [.listen, .bind].contains($0.action) && $0.family.hasPrefix("inet") } ?? []
        ports = Set(
            listening.compactMap { $0.address.split(separator: ":").last.flatMap { Int($0) } }.filter { $0 > 0 }
        ).sorted()
    }

    /// What its containers start with.
    package var defaults: ImageDefaults {
        var defaults = ImageDefaults()
        defaults.entrypoint = [program]
        defaults.cmd = arguments.isEmpty ? nil : arguments
        defaults.env = environment
        defaults.workingDirectory = workingDirectory
        if let uid { defaults.user = "\(uid)" }
        defaults.labels = ["org.opencontainers.image.title": baseName]
        for package in packages { defaults.labels["forkless.package.\(package.name)"] = package.version }
        return defaults
    }

    package var baseName: String { program.split(separator: "/").last.map(String.init) ?? program }

    /// A name that Kubernetes and functions take: letters, digits and dashes (RFC 1123).
    package var plainName: String {
        var name = ""
        for character in baseName.lowercased().unicodeScalars {
            let isPlain = ("a"..."z").contains(character) || ("0"..."9").contains(character)
            if isPlain { name.unicodeScalars.append(character) } else if !name.isEmpty, name.last != "-" { name += "-" }
        }
        while name.last == "-" { name.removeLast() }
        return name.isEmpty ? "program" : String(name.prefix(52))
    }
}

/// Words as YAML and Dockerfiles take them: a JSON string is one of either.
enum QuotedWord {
    static func text(_ word: String) -> String {
        var result = "\""
        for scalar in word.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
                    || scalar.value == 0x2029
                {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    static func list(_ words: [String]) -> String { "[" + words.map(text).joined(separator: ", ") + "]" }

    /// On one line of a comment, whatever is in it.
    static func comment(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
    }
}
