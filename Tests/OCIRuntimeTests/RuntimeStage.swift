import Glibc
import JSON
import Linux
import Synchronization
import TestKit
import Testing

/// The runtime's executable with a root directory of its own, and a bundle of Debian's static busybox.
///
/// Whatever containers are left at the end are deleted by force.
final class RuntimeStage: Sendable {
    let directory: TemporaryDirectory
    let executable: String
    /// Unique on the machine, for cgroups and the like.
    let name: String
    private let containers = Mutex<[String]>([])
    /// Options before the verb.
    private let options: [String]
    /// Beside this process's own environment.
    private let variables: [String]

    init(options: [String] = [], variables: [String] = []) throws {
        self.options = options
        self.variables = variables
        directory = try TemporaryDirectory("oci")
        executable = try BuiltFile.path("forkless-oci")
        name = "fkoci-" + String(directory.path.split(separator: "-").last ?? "")
        let busybox = try #require(CommandRunner.find("busybox"))
        let bin = directory.path("bundle/rootfs/bin")
        try Files.makeDirectories(bin)
        try Files.replace(bin + "/busybox", with: try Files.read(busybox), mode: 0o755)
        for applet in [
            "sh", "cat", "id", "ls", "mount", "sleep", "true", "stty", "hostname", "readlink", "grep", "touch", "tty",
            "test",
        ] {
            try RuntimeStage.link(applet, in: bin, to: "busybox")
        }
        for name in ["proc", "sys", "dev", "tmp", "etc"] { try Files.makeDirectories(rootfs + "/" + name) }
    }

    deinit {
        for id in containers.withLock({ $0 }) {
            _ = try? CommandRunner.runBlocking(words(["delete", "--force", id]), environment: environment)
        }
    }

    /// Makes a symbolic link in a directory.
    static func link(_ name: String, in directory: String, to target: String) throws {
        let place = SharedFD(try Files.place(directory))
        try withExtendedLifetime(place) { try FileEntries.makeLink(to: target, named: name, at: place.raw) }
    }

    var rootfs: String { directory.path("bundle/rootfs") }
    var bundle: String { directory.path("bundle") }
    var state: String { directory.path("state") }

    /// A container's id, deleted at the end.
    func id(_ suffix: String = "c") -> String {
        let id = "\(name)-\(suffix)"
        containers.withLock { if !$0.contains(id) { $0.append(id) } }
        return id
    }

    private func words(_ arguments: [String]) -> [String] {
        [executable, "--root", state, "--log", directory.path("log"), "--log-format", "json"] + options + arguments
    }

    private var environment: [String]? { variables.isEmpty ? nil : OwnProcess.environment() + variables }

    /// Runs the runtime.
    @discardableResult
    func callAsFunction(_ arguments: String..., input: [UInt8] = []) async throws -> CommandRunner.Outcome {
        try await CommandRunner.run(words(arguments), input: input, environment: environment, within: .seconds(60))
    }

    /// Runs it and throws what it said when it fails.
    @discardableResult
    func demand(_ arguments: String...) async throws -> String {
        let outcome = try await CommandRunner.run(words(arguments), environment: environment, within: .seconds(60))
        guard outcome.status.isSuccess else {
            throw StageFailure("\(arguments): \(outcome.status): \(outcome.errorText)")
        }
        return outcome.text
    }

    /// Writes config.json: the standard one with a command, changed.
    func configure(_ command: [String], _ change: (inout JSONValue) -> Void = { _ in }) throws {
        var config = try JSONParser.parse(Self.standard)
        config["process", "args"] = command.json
        config["linux", "cgroupsPath"] = .string("/\(name)")
        change(&config)
        try directory.write(config.description, to: "bundle/config.json")
    }

    /// Runs a shell command in a fresh container and returns what came of it.
    func shell(_ text: String, _ change: (inout JSONValue) -> Void = { _ in }) async throws -> CommandRunner.Outcome {
        try configure(["sh", "-c", text], change)
        return try await self("run", "--bundle", bundle, id())
    }

    /// Creates a container that sleeps, and starts it.
    func sleeping(_ suffix: String = "c", _ change: (inout JSONValue) -> Void = { _ in }) async throws -> String {
        let id = id(suffix)
        try configure(["sleep", "1000"], change)
        // With pipes of ours as its streams the sleeper would keep this runner waiting.
        try await shellOutside("create --bundle \(bundle) \(id)")
        try await demand("start", id)
        return id
    }

    /// Runs the runtime with no streams of the test's.
    func shellOutside(_ arguments: String) async throws {
        let outcome = try await CommandRunner.run([
            "sh", "-c",
            "\(call) \(arguments) </dev/null >/dev/null 2>\(directory.path("errors"))",
        ])
        guard outcome.status.isSuccess else {
            throw StageFailure("\(arguments): \(try Files.readText(directory.path("errors")))")
        }
    }

    /// The runtime as a shell calls it, up to the verb.
    var call: String {
        (variables + [executable, "--root", state] + options).joined(separator: " ")
    }

    func status(_ id: String) async throws -> String? {
        try JSONParser.parse(try await demand("state", id))["status"]?.string
    }

    func pid(_ id: String) async throws -> Int32 {
        Int32(try JSONParser.parse(try await demand("state", id))["pid"]?.integer ?? 0)
    }

    static let standard = """
        {"ociVersion":"1.2.0",
         "process":{"terminal":false,"user":{"uid":0,"gid":0},"args":["true"],
          "env":["PATH=/bin:/usr/bin"],"cwd":"/",
          "capabilities":{"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"permitted":["CAP_KILL"]},
          "noNewPrivileges":true},
         "root":{"path":"rootfs","readonly":false},
         "hostname":"inside",
         "mounts":[
          {"destination":"/proc","type":"proc","source":"proc"},
          {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","strictatime","mode=755","size=65536k"]},
          {"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620"]},
          {"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["nosuid","noexec","nodev","mode=1777","size=65536k"]},
          {"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid","noexec","nodev"]},
          {"destination":"/sys","type":"sysfs","source":"sysfs","options":["nosuid","noexec","nodev","ro"]},
          {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup","options":["nosuid","noexec","nodev","relatime","ro"]}],
         "linux":{
          "namespaces":[{"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"mount"},{"type":"cgroup"}],
          "maskedPaths":["/proc/keys","/proc/acpi","/sys/firmware"],
          "readonlyPaths":["/proc/sys","/proc/sysrq-trigger"]}}
        """
}

struct StageFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

// Debian's Python in a container, for what busybox cannot ask.
extension RuntimeStage {
    /// Makes the links that a root of Debian's has.
    func addPython() {
        for name in ["lib", "lib64"] { try? RuntimeStage.link(name, in: rootfs, to: "usr/" + name) }
        try? Files.makeDirectories(rootfs + "/usr")
    }

    /// Shows the machine's programs in the container.
    func bindPython(_ config: inout JSONValue) {
        config["mounts"]?.array?.append(["destination": "/usr", "source": "/usr", "options": ["rbind", "ro"]])
    }

    /// Runs a Python program in a fresh container.
    func python(_ text: String, _ change: (inout JSONValue) -> Void = { _ in }) async throws -> CommandRunner.Outcome {
        addPython()
        try configure(["/usr/bin/python3", "-c", text]) { config in
            bindPython(&config)
            change(&config)
        }
        return try await self("run", "--bundle", bundle, id())
    }
}
