/// Which stages a build needs, on what each stands, and the values that FROM could use.
///
/// Invariants
/// 1. A stage stands only on earlier ones: the order of the file is an order to build in.
///    (test: `a stage can use earlier stages only`)
/// 2. Stages that the target does not need are not in it. (test: `only what the target needs is built`)
package struct BuildGraph: Hashable, Sendable {
    package enum Origin: Hashable, Sendable {
        case scratch
        case stage(Int)
        case image(String)
    }

    package struct Node: Hashable, Sendable {
        package var stage: Stage
        package var base: Origin
        /// Of each COPY --from: the line of the instruction and where it copies from.
        package var copies: [Int: Origin]
    }

    /// In the order to build; the last one is the target.
    package private(set) var nodes: [Node] = []
    /// The values of the ARGs before the first FROM: what a stage's `ARG NAME` without a default takes.
    package private(set) var globals: [String: String] = [:]
    /// Build arguments that no ARG declares, in order of their names: surely a mistake in one of the two.
    package private(set) var undeclaredArguments: [String] = []

    /// What Docker lets programs see without an ARG: only how to reach the network.
    package static let predefinedArguments: Set<String> = [
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy",
        "ALL_PROXY", "all_proxy",
    ]

    /// - Parameters:
    ///   - target: A stage's name or number; nil: the last one.
    ///   - arguments: What `--build-arg` says.
    ///   - platform: Of this machine, as in `linux/amd64`: there is no other to build for.
    package init(
        _ file: Dockerfile, target: String? = nil, arguments: [String: String], platform: String
    ) throws(DockerfileError) {
        try evaluateGlobals(file, arguments, platform)
        var all: [Node] = []
        let last = try Self.target(target, of: file)
        for stage in file.stages[...last] { all.append(try node(stage, file, platform)) }
        nodes = Self.needed(all)
        var declared = Self.predefinedArguments
        for step in file.globalArguments + file.stages.flatMap(\.steps) {
            if case .argument(let declarations) = step.instruction { declared.formUnion(declarations.map(\.name)) }
        }
        undeclaredArguments = arguments.keys.filter { !declared.contains($0) }.sorted()
    }

    private mutating func evaluateGlobals(
        _ file: Dockerfile, _ arguments: [String: String], _ platform: String
    ) throws(DockerfileError) {
        var visible = Self.platformArguments(platform)
        for step in file.globalArguments {
            guard case .argument(let declarations) = step.instruction else { continue }
            for declaration in declarations {
                var value = arguments[declaration.name]
                if value == nil, let fallback = declaration.fallback {
                    value = try Self.expand(fallback, visible, file.escape, step.line)
                }
                // A predefined value stays when it is only declared.
                guard let value = value ?? visible[declaration.name] else { continue }
                visible[declaration.name] = value
            }
        }
        globals = visible
    }

    private func node(_ stage: Stage, _ file: Dockerfile, _ platform: String) throws(DockerfileError) -> Node {
        if let wanted = stage.platform {
            let wanted = try Self.expand(wanted, globals, file.escape, stage.line)
            guard wanted == platform else {
                throw DockerfileError(
                    line: stage.line, "FROM --platform=\(wanted) is not supported: this machine is \(platform)")
            }
        }
        let base = try Self.expand(stage.base, globals, file.escape, stage.line)
        guard !base.isEmpty else {
            throw DockerfileError(line: stage.line, "FROM \(stage.base) is empty once its variables are replaced")
        }
        let earlier = file.stages[..<stage.number]
        var node = Node(stage: stage, base: .image(base), copies: [:])
        if let other = earlier.first(where: { $0.name == base.lowercased() }) {
            node.base = .stage(other.number)
        } else if base == "scratch" {
            node.base = .scratch
        }
        for step in stage.steps {
            guard case .copy(let copy) = step.instruction, let from = copy.from else { continue }
            node.copies[step.line] = try Self.origin(from, of: stage, earlier: earlier, line: step.line)
        }
        return node
    }

    private static func origin(
        _ from: String, of stage: Stage, earlier: ArraySlice<Stage>, line: Int
    ) throws(DockerfileError) -> Origin {
        guard from.lowercased() != stage.name else {
            throw DockerfileError(line: line, "COPY --from=\(from): a stage cannot copy from itself")
        }
        if let other = earlier.first(where: { $0.name == from.lowercased() }) { return .stage(other.number) }
        guard from.utf8.allSatisfy(\.isDigit) else { return .image(from) }
        guard let number = Int(from), number < stage.number else {
            throw DockerfileError(line: line, "COPY --from=\(from): no earlier stage has this number")
        }
        return .stage(number)
    }

    private static func target(_ name: String?, of file: Dockerfile) throws(DockerfileError) -> Int {
        guard let name else { return file.stages.count - 1 }
        if let stage = file.stages.first(where: { $0.name == name.lowercased() }) { return stage.number }
        if let number = Int(name), file.stages.indices.contains(number) { return number }
        let names = file.stages.compactMap(\.name)
        let known = names.isEmpty ? "no stage has a name" : "there are \(names.joined(separator: ", "))"
        throw DockerfileError(line: 1, "no stage is named \(name): \(known)")
    }

    /// From the last one backwards; an index is a stage's number.
    private static func needed(_ all: [Node]) -> [Node] {
        var needed: Set<Int> = [all.count - 1]
        for node in all.reversed() where needed.contains(node.stage.number) {
            for case .stage(let number) in [node.base] + node.copies.values { needed.insert(number) }
        }
        return all.filter { needed.contains($0.stage.number) }
    }

    /// The ARGs that BuildKit sets itself: what is built is for the machine that builds it.
    private static func platformArguments(_ platform: String) -> [String: String] {
        let parts = platform.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var values: [String: String] = [:]
        for prefix in ["TARGET", "BUILD"] {
            values[prefix + "PLATFORM"] = platform
            values[prefix + "OS"] = parts[0]
            values[prefix + "ARCH"] = parts.count > 1 ? parts[1] : ""
            values[prefix + "VARIANT"] = parts.count > 2 ? parts[2] : ""
        }
        return values
    }

    private static func expand(
        _ text: String, _ values: [String: String], _ escape: UInt8, _ line: Int
    ) throws(DockerfileError) -> String {
        do throws(WordError) {
            return try WordExpansion(escape: escape) { values[$0] }.word(text)
        } catch {
            throw DockerfileError(line: line, error.reason)
        }
    }
}
