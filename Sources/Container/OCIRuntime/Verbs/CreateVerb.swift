import Linux
import OCI
import RuntimeCgroups
import Spawn

extension Verbs {
    /// `create`: makes a container whose program waits for `start`.
    func create(_ making: Command.Making) throws(RuntimeFailure) {
        let making = making.absolute
        let creation = try make(making, awaitsStart: true, isDetached: true)
        do throws(RuntimeFailure) { try writePidFile(making.pidFile, creation.launch!.pid) } catch {
            // A manager that is told of a failure asks for no deletion.
            creation.undo()
            throw error
        }
    }

    /// Makes a container; what was made goes again when a step fails.
    func make(_ making: Command.Making, awaitsStart: Bool, isDetached: Bool) throws(RuntimeFailure) -> Creation {
        let activation = try Activation.ofThisProcess()
        var making = making
        making.preservedDescriptors += activation.sockets
        try checkPreserved(making.preservedDescriptors)
        var bundle = try Bundle(making.bundle, report: report)
        try checkTerminal(bundle.spec.process!, making.consoleSocket, isDetached: isDetached)
        try ModuleCheck.check(bundle.spec)
        if !isDetached { bundle.spec.process?.takeSize() }
        let directory = try StateDirectory.make(making.id, root: options.root)
        var creation: Creation?
        do throws(RuntimeFailure) {
            try directory.beginMaking(of: bundle.path)
            if activation.notifySocket != nil {
                bundle.spec = activation.adding(to: bundle.spec, directory: try directory.notifyDirectory())
            }
            let plan = Creation.Plan(
                options: making, cgroups: options.cgroups, activation: activation, awaitsStart: awaitsStart)
            let made = try Creation(bundle, in: directory, plan, report: report)
            creation = made
            try made.make()
            return made
        } catch {
            if let creation { creation.undo() } else { try? directory.remove() }
            throw RuntimeFailure("unable to start container process: \(error.message)", status: error.status)
        }
    }

    /// The terminal's other end has to go somewhere.
    func checkTerminal(_ process: ProcessSpec, _ socket: String?, isDetached: Bool) throws(RuntimeFailure) {
        if process.hasTerminal, isDetached, socket == nil {
            throw RuntimeFailure("cannot allocate tty: the runtime detaches, so --console-socket is needed")
        }
        if socket != nil, !(process.hasTerminal && isDetached) {
            throw RuntimeFailure(
                "cannot use --console-socket: the runtime does not detach, or the process has no terminal")
        }
    }

    /// Those that are passed on must be there: else a descriptor of our own could be in their place.
    func checkPreserved(_ count: Int) throws(RuntimeFailure) {
        for number in 3..<(3 + CInt(count)) where !Descriptors.isOpen(number) {
            throw RuntimeFailure(
                "--preserve-fds and LISTEN_FDS pass on \(count) descriptors: descriptor \(number) is not open")
        }
    }

    func writePidFile(_ path: String?, _ pid: Int32) throws(RuntimeFailure) {
        guard let path else { return }
        try attempt("write --pid-file") { () throws(SystemError) in
            try Files.replaceInMemory(path, with: Array("\(pid)".utf8), mode: 0o644)
        }
    }
}

extension ProcessSpec {
    /// In the foreground a terminal has the size of the caller's from the first moment, unless it has one written.
    mutating func takeSize() {
        guard hasTerminal, consoleSize == nil, let size = TerminalRelay.callersSize else { return }
        consoleSize = ConsoleSize(height: UInt64(size.rows), width: UInt64(size.columns))
    }
}

extension Command.Making {
    /// With paths that stay the same when the bundle becomes the working directory.
    var absolute: Command.Making {
        var making = self
        making.pidFile = pidFile.map(OwnProcess.absolute)
        making.consoleSocket = consoleSocket.map(OwnProcess.absolute)
        return making
    }
}

extension OwnProcess {
    /// A path seen from the root directory.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(workingDirectory() ?? "")/\(path)"
    }
}
