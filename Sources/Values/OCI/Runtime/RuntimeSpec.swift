import JSON

/// What a container is: config.json of its bundle, read by the runtime specification 1.3 (config.md,
/// config-linux.md). Every version 1.x is read.
///
/// Invariants (each with a test in RuntimeSpecTests, or RuntimeFieldTests for all fields at once):
/// 1. A field of the wrong type, out of its range or beyond a limit is an error that names it.
/// 2. null counts as missing, and so does an empty text where it may be missing: both are what the
///    specification's own types write for nothing.
/// 3. Members nobody knows are ignored (config.md, "Extensibility").
/// 4. Reading looks at each field alone; `check` at what they mean together.
package struct RuntimeSpec: Hashable, Sendable {
    /// The version that is written into states and features.
    package static let version = "1.3.0"
    /// The lowest version that is read.
    package static let lowestVersion = "1.0.0"

    /// Which specification the bundle follows.
    package var ociVersion: String
    package var process: ProcessSpec?
    package var root: RootSpec?
    package var hostname: String?
    package var domainname: String?
    /// In the order in which they are made.
    package var mounts: [MountSpec]
    package var hooks: HooksSpec
    package var annotations: [String: String]
    package var linux: LinuxSpec

    /// Reads config.json.
    package init(_ bytes: [UInt8]) throws(DocumentError) {
        self = try readRuntimeDocument("config.json", bytes) { reader throws(JSONShapeError) in
            try RuntimeSpec(&reader)
        }
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        ociVersion = try reader.requiredText("ociVersion", limit: 64)
        process = try reader.object("process") { process throws(JSONShapeError) in try ProcessSpec(&process) }
        root = try reader.object("root") { root throws(JSONShapeError) in try RootSpec(&root) }
        hostname = try reader.text("hostname", limit: RuntimeLimits.hostNameBytes)
        domainname = try reader.text("domainname", limit: RuntimeLimits.hostNameBytes)
        mounts = try reader.parts("mounts") { mount throws(JSONShapeError) in try MountSpec(&mount) }
        hooks = try reader.object("hooks") { hooks throws(JSONShapeError) in try HooksSpec(&hooks) } ?? HooksSpec()
        annotations = try reader.textByName("annotations")
        linux = try reader.object("linux") { linux throws(JSONShapeError) in try LinuxSpec(&linux) } ?? LinuxSpec()
    }
}

/// Where the container's root file system is (config.md, "Root").
package struct RootSpec: Hashable, Sendable {
    /// Absolute, or relative to the bundle.
    package var path: String
    package var isReadOnly: Bool

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        path = try reader.requiredPath("path")
        isReadOnly = try reader.optional("readonly") ?? false
    }
}

/// The programs that are run beside the container's own (config.md, "POSIX-platform Hooks").
package struct HooksSpec: Hashable, Sendable {
    /// When a hook runs.
    package enum Stage: String, NamedBySpecification {
        case prestart, createRuntime, createContainer, startContainer, poststart, poststop
    }

    /// The hooks of each stage in their order; a stage without hooks has no entry.
    package var byStage: [Stage: [HookSpec]]

    package init() { byStage = [:] }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        byStage = [:]
        for stage in Stage.allCases {
            let hooks = try reader.parts(stage.rawValue, count: 1024) { hook throws(JSONShapeError) in
                try HookSpec(&hook)
            }
            if !hooks.isEmpty { byStage[stage] = hooks }
        }
    }

    package subscript(stage: Stage) -> [HookSpec] { byStage[stage] ?? [] }
}

/// One hook.
package struct HookSpec: Hashable, Sendable {
    /// Absolute.
    package var path: String
    /// All of argv; empty means the path alone.
    package var arguments: [String]
    package var environment: [String]
    /// Seconds, above zero; nil waits as long as it takes.
    package var timeout: Int?

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        path = try reader.requiredPath("path")
        guard path.hasPrefix("/") else { throw reader.error("path", "expected an absolute path, found \"\(path)\"") }
        arguments = try reader.texts("args")
        environment = try reader.texts("env")
        timeout = try reader.optional("timeout")
        if let timeout, timeout <= 0 || timeout > 1 << 31 {
            throw reader.error("timeout", "expected 1 to \(1 << 31) seconds, found \(timeout)")
        }
    }
}
