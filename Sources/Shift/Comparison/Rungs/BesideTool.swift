package import JSON
import Linux
import Spawn

/// Tools with which programs are commonly started isolated, and how each is told to do what our containers do.
package enum BesideTool: String, Hashable, Sendable, CaseIterable {
    case runc, crun, docker, podman
    case systemdRun = "systemd-run"

    package var executable: String { rawValue }

    package var title: String {
        switch self {
        case .runc, .crun: "\(rawValue) run"
        case .docker: "docker run"
        case .podman: "podman run"
        case .systemdRun: "systemd-run"
        }
    }

    var setUp: String {
        switch self {
        case .runc, .crun: "`\(rawValue) run` for each call, the machine's files read-only, no network, at most 512 MiB"
        case .docker, .podman:
            "`\(rawValue) run --rm -i` for each call, the machine's files read-only, no network, at most 512 MiB"
        case .systemdRun: "`systemd-run --pipe --wait` for each call, at most 512 MiB"
        }
    }

    /// Names of processes that these tools keep beside a program.
    static let companions: Set<String> = [
        "runc", "crun", "docker", "podman", "conmon", "containerd-shim", "containerd-shim-", "containerd-shim-runc-v2",
        "systemd-run",
        "pasta", "slirp4netns", "catatonit", "rootlessport",
    ]

    /// Whether the programs are its own children, so that their processor time counts as its own (wait4(2)).
    var waitsForPrograms: Bool { self == .runc || self == .crun }

    static let memoryBytes = 512 << 20
    static let processes = 128
    private static let image = "localhost/forkless-compare:empty"

    /// Directories of the machine that programs are given, read-only, as our own containers have them.
    static func machineDirectories() -> [String] {
        let usual = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt"]
        return usual.filter { Files.exists($0) }
    }

    /// What besides holds a program that lies elsewhere.
    private static func mounts(_ command: [String]) -> [String] {
        let directories = machineDirectories()
        let isIn = directories.contains { command[0].hasPrefix($0 + "/") }
        return directories + (isIn ? [] : [command[0]])
    }

    // MARK: - Words

    func arguments(
        _ name: String, _ directory: String, _ command: [String], _ environment: [String]
    ) throws(ComparisonError) -> [String] {
        switch self {
        case .runc, .crun:
            var bundle = "\(directory)/bundle"
            if !environment.isEmpty {
                bundle = "\(directory)/probe"
                try Self.writeBundle(bundle, command, environment)
            }
            return ["--root", "\(directory)/state", "run", "--bundle", bundle, name]
        case .docker, .podman:
            var words = ["run", "--rm", "-i", "--name", name, "--network", "none", "--memory", "\(Self.memoryBytes)"]
            words += [
                "--pids-limit", "\(Self.processes)", "--read-only", "--cap-drop", "ALL", "--security-opt",
                "no-new-privileges",
            ]
            for mount in Self.mounts(command) { words += ["-v", "\(mount):\(mount):ro"] }
            for variable in environment { words += ["-e", variable] }
            return words + [Self.image] + command
        case .systemdRun:
            var words = [
                "--pipe", "--wait", "--collect", "--quiet", "--unit", name, "-p", "MemoryMax=\(Self.memoryBytes)",
            ]
            words += ["-p", "TasksMax=\(Self.processes)"]
            for variable in environment { words += ["-E", variable] }
            return words + ["--"] + command
        }
    }

    // MARK: - Set-up

    func prepare(_ directory: String, _ template: Template, _ command: [String]) async throws(ComparisonError) {
        switch self {
        case .runc, .crun:
            if OwnProcess.effectiveUser != 0 {
                throw ComparisonError("\(rawValue): only root may run its containers in this way")
            }
            try Self.writeBundle("\(directory)/bundle", command, [])
        case .docker:
            _ = try await said(
                template, ["version", "--format", "{{.Server.Version}}"],
                "no Docker daemon answers; start one to compare with it")
            try await importImage(directory, template)
        case .podman: try await importImage(directory, template)
        case .systemdRun:
            guard Files.exists("/run/systemd/system") else {
                throw ComparisonError("systemd-run: this machine is not run by systemd")
            }
        }
    }

    /// An image without a file: the machine's directories are bound into it.
    private func importImage(_ directory: String, _ template: Template) async throws(ComparisonError) {
        let archive = "\(directory)/empty.tar"
        do {
            try Files.makeDirectories(directory, mode: 0o700)
            // The end of an archive is two blocks of zeros, tar(5).
            try Files.replace(archive, with: [UInt8](repeating: 0, count: 10_240), mode: 0o600)
        } catch { throw ComparisonError("\(error)") }
        _ = try await said(template, ["import", archive, Self.image], "import an empty image")
    }

    /// Runs the tool once and returns what it wrote.
    private func said(_ template: Template, _ words: [String], _ doing: String) async throws(ComparisonError) -> String
    {
        let files = try CallFiles([])
        do {
            let running = try await template.startInBackground(
                arguments: words, input: .null, output: .descriptor(files.output.raw),
                error: .descriptor(files.errors.raw))
            let end = try await running.wait()
            guard end.status.shellStatus == 0 else {
                throw ComparisonError("\(rawValue): \(doing) (\(files.complaint()))")
            }
            return String(decoding: try files.result(), as: UTF8.self)
        } catch let error as ComparisonError {
            throw error
        } catch { throw ComparisonError("\(rawValue): \(doing): \(error)") }
    }

    /// Why a failed call is the tool's failure and not the program's; nil: it is not known to be.
    func refusal(_ reason: String) -> String? {
        let words: [String] =
            switch self {
            case .runc, .crun: ["runc", "crun", "container_linux", "cgroup", "rootfs"]
            case .docker: ["docker:", "Error response from daemon", "Cannot connect"]
            case .podman: ["Error:", "conmon", "OCI runtime"]
            case .systemdRun: ["Failed to", "System has not been booted"]
            }
        return words.contains { reason.contains($0) } ? "\(rawValue) does not start it: \(reason)" : nil
    }

    /// Ends what a call runs. A tool that has others run it is asked to, until it has ended: killed while it makes a container,
    /// it would leave that behind.
    func end(_ running: RunningProgram, _ name: String, _ template: Template) async {
        for _ in 0..<(waitsForPrograms ? 0 : Self.endAttempts) {
            await kill(name, template)
            for _ in 0..<10 {
                if (try? running.exitIfEnded()) != nil { return }
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        try? running.killTree()
        _ = try? await running.wait()
    }

    /// Half a second each, and what the tool takes for it.
    private static let endAttempts = 10

    private func kill(_ name: String, _ template: Template) async {
        let words: [String] =
            switch self {
            case .runc, .crun: []
            case .docker, .podman: ["rm", "-f", name]
            case .systemdRun: []
            }
        if !words.isEmpty { _ = try? await said(template, words, "remove \(name)") }
        if self == .systemdRun, let control = try? Template(.name("systemctl")) {
            _ = try? await said(control, ["kill", "--signal=KILL", name], "kill \(name)")
        }
    }

    func clear(_ directory: String, _ template: Template) async {
        switch self {
        case .runc, .crun:
            for name in (try? Files.list("\(directory)/state")) ?? [] {
                _ = try? await said(
                    template, ["--root", "\(directory)/state", "delete", "--force", name], "delete \(name)")
            }
        case .docker, .podman: _ = try? await said(template, ["rmi", "-f", Self.image], "remove the empty image")
        case .systemdRun: break
        }
        try? Files.removeTree(directory)
    }

    // MARK: - Bundle

    /// A bundle of the OCI runtime specification: the machine's directories read-only, no capabilities, no network.
    private static func writeBundle(_ bundle: String, _ command: [String], _ environment: [String])
        throws(ComparisonError)
    {
        do {
            try Files.makeDirectories("\(bundle)/rootfs", mode: 0o755)
            try Files.replace(
                "\(bundle)/config.json", with: Array(JSONWriter.text(config(command, environment)).utf8), mode: 0o600)
        } catch { throw ComparisonError("write a bundle: \(error)") }
    }

    package static func config(_ command: [String], _ environment: [String]) -> JSONValue {
        func mount(_ destination: String, _ type: String, _ source: String, _ options: [String]) -> JSONValue {
            [
                "destination": .string(destination), "type": .string(type), "source": .string(source),
                "options": options.json,
            ]
        }
        let own = [
            mount("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/tmp", "tmpfs", "tmpfs", ["nosuid", "nodev", "mode=1777", "size=64m"]),
        ]
        let bound = mounts(command).map { mount($0, "bind", $0, ["rbind", "ro", "nosuid"]) }
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return [
            "ociVersion": "1.0.2",
            "process": [
                "terminal": false, "user": ["uid": 0, "gid": 0], "args": command.json,
                "env": ([path] + environment).json, "cwd": "/",
                "noNewPrivileges": true,
                "capabilities": ["bounding": [], "effective": [], "permitted": [], "inheritable": [], "ambient": []],
            ],
            "root": ["path": "rootfs", "readonly": true], "hostname": "forkless", "mounts": .array(own + bound),
            "linux": [
                "namespaces": .array(["pid", "mount", "ipc", "uts", "network"].map { ["type": .string($0)] }),
                "resources": [
                    "memory": ["limit": .integer(Int64(memoryBytes))], "pids": ["limit": .integer(Int64(processes))],
                ],
                "maskedPaths": [
                    "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/sys/firmware",
                ],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
            ],
        ]
    }
}
