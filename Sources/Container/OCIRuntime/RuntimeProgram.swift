import JSON
import Linux
import OCI

/// The OCI runtime: runc's command line, one verb per run.
package enum RuntimeProgram {
    /// The runtime's own version.
    package static let version = "0.1.0"

    /// Runs a command line, with the program's name first; returns the exit status.
    package static func main(_ words: [String]) -> Int32 {
        let options: GlobalOptions
        let command: Command
        do throws(RuntimeFailure) { (options, command) = try Command.read(Array(words.dropFirst())) } catch {
            Report().fatal(error)
            return 1
        }
        var report = Report(includesDebug: options.isDebug)
        do throws(RuntimeFailure) {
            // What makes processes in containers runs from where nobody can write it.
            if command.entersContainers {
                try checkRights()
                try SelfProtection.ensure(arguments: words)
            }
            OwnProcess.ignoreBrokenPipes()
            if let log = options.log {
                report = try attempt("open the log") { () throws(SystemError) in
                    try Report(path: log, format: options.logFormat, includesDebug: options.isDebug)
                }
            } else {
                report = Report(format: options.logFormat, includesDebug: options.isDebug)
            }
            return try Verbs(options: options, report: report).perform(command)
        } catch {
            report.fatal(
                command.name.map { RuntimeFailure("forkless-oci \($0) failed: \(error.message)", status: error.status) }
                    ?? error)
            return error.status
        }
    }

    /// Namespaces and mounts are root's, if only root's of a user namespace.
    private static func checkRights() throws(RuntimeFailure) {
        guard OwnProcess.effectiveUser != 0 else { return }
        throw RuntimeFailure(
            "this runtime has to be root, or root of a user namespace: unshare --user --map-root-user --mount forkless-oci ..."
        )
    }
}

extension Command {
    /// Whether it starts something in a container's namespaces.
    var entersContainers: Bool {
        switch self {
        case .create, .run, .exec, .start: true
        default: false
        }
    }

    /// The verb, for messages.
    var name: String? {
        switch self {
        case .create: "create"
        case .run: "run"
        case .start: "start"
        case .exec: "exec"
        default: nil
        }
    }
}
