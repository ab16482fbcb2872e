import Linux
import OCI

/// What a service manager hands through the runtime to the program: sockets (sd_listen_fds(3)), and where to say that it
/// is ready (sd_notify(3)).
struct Activation: Hashable, Sendable {
    /// Descriptors from 3 on.
    var sockets = 0
    /// LISTEN_FDNAMES.
    var names: String?
    /// The manager's socket; nil where it wants no word.
    var notifySocket: String?

    /// What was handed to this process.
    ///
    /// - Throws: where there is something that cannot be read.
    static func ofThisProcess() throws(RuntimeFailure) -> Activation {
        try Activation(
            pid: OwnProcess.pid, listenPID: OwnProcess.variable("LISTEN_PID"),
            listenCount: OwnProcess.variable("LISTEN_FDS"), names: OwnProcess.variable("LISTEN_FDNAMES"),
            notifySocket: OwnProcess.variable("NOTIFY_SOCKET"))
    }

    init() {}

    /// Pure. Sockets that are meant for another process are left alone.
    init(
        pid: Int32, listenPID: String?, listenCount: String?, names: String?, notifySocket: String?
    ) throws(RuntimeFailure) {
        if let notifySocket, !notifySocket.isEmpty {
            guard notifySocket.hasPrefix("/") || notifySocket.hasPrefix("@") else {
                throw RuntimeFailure("NOTIFY_SOCKET: expected a path or @NAME, found \"\(notifySocket)\"")
            }
            self.notifySocket = notifySocket
        }
        guard let listenPID, Int32(listenPID) == pid, let listenCount else { return }
        guard let count = Int(listenCount), (0...1024).contains(count) else {
            throw RuntimeFailure("LISTEN_FDS: expected a number up to 1024, found \"\(listenCount)\"")
        }
        sockets = count
        self.names = count > 0 ? names : nil
    }

    /// The program's environment with what tells it of its sockets.
    ///
    /// - Parameter pid: its number as it sees it.
    func environment(_ environment: [String], pid: Int32) -> [String] {
        guard sockets > 0 else { return environment }
        let own = ["LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="]
        let others = environment.filter { variable in !own.contains { variable.hasPrefix($0) } }
        return others + ["LISTEN_PID=\(pid)", "LISTEN_FDS=\(sockets)"] + (names.map { ["LISTEN_FDNAMES=\($0)"] } ?? [])
    }

    /// The configuration with a place where the program can say that it is ready.
    ///
    /// - Parameter directory: of the machine, for the socket that the runtime listens on.
    func adding(to spec: RuntimeSpec, directory: String) -> RuntimeSpec {
        guard notifySocket != nil else { return spec }
        var spec = spec
        spec.mounts.append(
            MountSpec(
                destination: Self.place, source: directory,
                options: MountOptions(["bind", "nosuid", "noexec", "nodev", "ro"])))
        spec.process?.environment.removeAll { $0.hasPrefix("NOTIFY_SOCKET=") }
        spec.process?.environment.append("NOTIFY_SOCKET=\(Self.place)/\(ReadinessRelay.socket)")
        return spec
    }

    /// In the container.
    private static let place = "/run/notify"
}
