import Linux
package import OCI

/// What a container gets when its spec says one thing and its image another: Docker's rules (moby, daemon/commit.go,
/// `merge`), as a table of tests in ImageDefaultsMergeTests.
///
/// An image's config is somebody else's text. It proposes what is named here and nothing else: no label, variable or
/// volume of it sets an option of the engine (CVE-2026-53488), and what makes no sense is refused, not mended.
///
/// Invariants
/// 1. What the spec says wins; merging twice is merging once. (test: `merging twice is merging once`)
/// 2. Nothing of the machine gets in: a variable without a value is left out (CVE-2026-57231).
///    (test: `a variable without a value is not taken from anywhere`)
package enum ImageDefaultsMerge {
    /// The spec with the image's defaults where it says nothing.
    ///
    /// - Throws: `SpecError` that names the image's field.
    package static func merge(
        _ spec: ContainerSpec, with defaults: ImageDefaults, id: Digest
    ) throws(SpecError) -> ContainerSpec {
        guard let image = spec.image else { preconditionFailure("a spec without an image has no defaults") }
        var merged = spec
        merged.image = ContainerImage(image.name, id: id)
        try mergeCommand(defaults, into: &merged, image.name)
        merged.environment = DefaultEnvironment.merge(
            spec.environment, over: defaults.environment.map { "\($0.name)=\($0.value)" })
        merged.labels = defaults.labels.merging(spec.labels) { $1 }
        if spec.user == nil, !defaults.user.isEmpty { merged.user = defaults.user }
        if spec.directory == nil { merged.directory = try directory(defaults.workingDirectory, image.name) }
        if spec.stopSignal == nil { merged.stopSignal = try stopSignal(defaults.stopSignal, image.name) }
        merged.exposedPorts += defaults.exposedPorts.filter { !spec.exposedPorts.contains($0) }
        merged.mounts += try volumes(defaults.volumes, besides: spec.mounts, image.name)
        merged.healthcheck = healthcheck(spec.healthcheck, defaults)
        return merged
    }

    // Fields.

    /// An entrypoint of the spec leaves the image's command out; a command of the spec takes the place of the image's.
    private static func mergeCommand(
        _ defaults: ImageDefaults, into spec: inout ContainerSpec, _ image: String
    ) throws(SpecError) {
        if spec.entrypoint == nil {
            spec.entrypoint = defaults.entrypoint ?? []
            if spec.program.isEmpty, let command = defaults.cmd, let program = command.first {
                if program.isEmpty {
                    // As a program it would read as "no command".
                    spec.entrypoint! += command
                } else {
                    spec.program = program
                    spec.arguments = Array(command.dropFirst())
                }
            }
        }
        guard let program = spec.words.first else {
            throw SpecError("the image", image, "has neither ENTRYPOINT nor CMD: name a program after it")
        }
        guard !program.isEmpty else { throw SpecError("the image", image, "its ENTRYPOINT or CMD begins with an empty word") }
    }

    private static func directory(_ text: String, _ image: String) throws(SpecError) -> String? {
        guard !text.isEmpty else { return nil }
        guard text.hasPrefix("/") else {
            throw SpecError("the image", image, "its WORKDIR \"\(text)\" is no absolute path: give one with -w")
        }
        return clean(text)
    }

    private static func stopSignal(_ text: String, _ image: String) throws(SpecError) -> Int32? {
        guard !text.isEmpty else { return nil }
        guard let number = Signal.number(of: text) else {
            throw SpecError("the image", image, "its STOPSIGNAL \"\(text)\" is no signal: give one with --stop-signal")
        }
        return number
    }

    /// A volume of its own for each path that the spec mounts nothing at (CVE-2022-23648: paths are cleaned, and the
    /// root is none).
    private static func volumes(
        _ paths: [String], besides mounts: [ContainerMount], _ image: String
    ) throws(SpecError) -> [ContainerMount] {
        var taken = Set(mounts.map { clean($0.target) })
        var result: [ContainerMount] = []
        for path in paths {
            let target = clean(path)
            guard path.hasPrefix("/"), target != "/" else {
                throw SpecError("the image", image, "its VOLUME \"\(path)\" is no path below the root")
            }
            if taken.insert(target).inserted { result.append(.volume(name: nil, target: target, isReadOnly: false)) }
        }
        return result
    }

    /// What the spec's check leaves open is as in the image's; a line for a shell becomes one for the image's shell.
    private static func healthcheck(_ asked: Healthcheck?, _ defaults: ImageDefaults) -> Healthcheck? {
        guard var check = asked ?? defaults.healthcheck else { return nil }
        if let image = defaults.healthcheck {
            if check.test == .inherited { check.test = image.test }
            if check.interval == 0 { check.interval = image.interval }
            if check.timeout == 0 { check.timeout = image.timeout }
            if check.startPeriod == 0 { check.startPeriod = image.startPeriod }
            if check.startInterval == 0 { check.startInterval = image.startInterval }
            if check.retries == 0 { check.retries = image.retries }
        }
        if case .shell(let line) = check.test, let shell = defaults.shell, !shell.isEmpty {
            check.test = .command(shell + [line])
        }
        return check
    }

    /// A path without ".", ".." and doubled slashes; nothing is above "/".
    static func clean(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

extension ContainerSpec {
    /// What is executed, with its arguments: the entrypoint, then the command.
    package var words: [String] { (entrypoint ?? []) + (program.isEmpty ? [] : [program]) + arguments }
}
