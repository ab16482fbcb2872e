import Linux
import OCI
import Spawn

extension Verbs {
    /// `exec`: runs another program in a container, and, unless detached, waits for its end.
    func exec(_ executing: Command.Executing) throws(RuntimeFailure) -> Int32 {
        // Managers tell a program's status from the runtime's own failure by this one.
        do throws(RuntimeFailure) { return try perform(executing) } catch {
            throw RuntimeFailure(error.message, status: 255)
        }
    }

    private func perform(_ executing: Command.Executing) throws(RuntimeFailure) -> Int32 {
        try checkPreserved(executing.preservedDescriptors)
        let directory = try StateDirectory(executing.id, root: options.root)
        let container = try Container(directory)
        let isPaused = container.status == .paused && executing.ignoresPause
        let record = isPaused ? container.record! : try container.demand(.exec)
        let spec = try directory.spec()
        var process = try ExecProcess.spec(executing, spec)
        if !executing.isDetached { process.takeSize() }
        try ModuleCheck.check(process)
        try checkTerminal(process, executing.consoleSocket, isDetached: executing.isDetached)
        for warning in process.warnings { report.warn(warning) }
        let signals = executing.isDetached ? nil : try SignalForwarding()
        let joining = Joining(
            record, spec, process, preserved: executing.preservedDescriptors,
            keepsKeyring: directory.keepsCallersKeyring, report: report)
        let launch = try joining.start()
        do throws(RuntimeFailure) {
            if let socket = executing.consoleSocket, let terminal = joining.terminal {
                try Console.send(terminal, to: socket)
            }
            try writePidFile(executing.pidFile, launch.pid)
        } catch {
            launch.abandon()
            throw error
        }
        guard let signals else { return 0 }
        return try signals.attend(launch, terminal: joining.terminal).shellStatus
    }
}

/// The process that an `exec` asks for.
enum ExecProcess {
    static func spec(_ executing: Command.Executing, _ container: RuntimeSpec) throws(RuntimeFailure) -> ProcessSpec {
        do {
            var process: ProcessSpec
            if let path = executing.processFile {
                process = try ProcessSpec(try Files.read(path, limit: RuntimeLimits.documentBytes))
            } else {
                guard let own = container.process else { throw RuntimeFailure("the container has no process") }
                process = try change(own, executing)
            }
            try process.check()
            return process
        } catch let failure as RuntimeFailure { throw failure } catch { throw RuntimeFailure("\(error)") }
    }

    /// The container's own process with what the command line changes.
    static func change(_ own: ProcessSpec, _ executing: Command.Executing) throws(RuntimeFailure) -> ProcessSpec {
        var process = own
        process.arguments = executing.arguments
        process.hasTerminal = executing.hasTerminal
        process.consoleSize = nil
        process.environment += executing.environment
        if let directory = executing.directory { process.workingDirectory = directory }
        if executing.noNewPrivileges { process.noNewPrivileges = true }
        if let label = executing.processLabel { process.selinuxLabel = label }
        if let profile = executing.apparmorProfile { process.apparmorProfile = profile }
        if let user = executing.user {
            let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            process.user.uid = try id(parts[0], "--user")
            process.user.gid = parts.count == 2 ? try id(parts[1], "--user") : process.user.gid
        }
        for group in executing.additionalGroups {
            process.user.additionalGids.append(try id(group[...], "--additional-gids"))
        }
        for capability in executing.capabilities {
            guard Capabilities(name: capability) != nil else {
                throw RuntimeFailure("--cap: unknown capability \"\(capability)\"")
            }
            // A configuration without capabilities gives none, and these are added to them.
            process.capabilities = process.capabilities ?? CapabilitySpec()
            process.capabilities?.add(capability)
        }
        return process
    }

    /// Digits alone, without a sign or a zero in front (CVE-2026-30892).
    private static func id(_ text: Substring, _ option: String) throws(RuntimeFailure) -> UInt32 {
        let isPlain =
            !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) } && (text == "0" || text.first != "0")
        guard isPlain, let id = UInt32(text), id != .max else {
            throw RuntimeFailure("\(option): expected a number from 0 to 4294967294, found \"\(text)\"")
        }
        return id
    }
}

extension CapabilitySpec {
    /// Into every set that a program keeps (not the inheritable one: CVE-2022-29162).
    mutating func add(_ name: String) {
        bounding.append(name)
        effective.append(name)
        permitted.append(name)
    }
}
