/// A place in the machine's configuration that has programs started.
package struct ProgramOrigin: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// A line of a crontab.
        case cron
        /// A directory whose programs are run one after the other: /etc/cron.daily.
        case cronDirectory = "cron directory"
        case systemdService = "systemd service"
        case systemdTimer = "systemd timer"
        case systemdSocket = "systemd socket"
        case inetd
        case xinetd
        /// Programs that a web server runs for a request.
        case cgi
    }

    package var kind: Kind
    /// The file that says so.
    package var file: String
    /// Its line, from 1; nil where the whole file says it.
    package var line: Int?
    /// The unit, the service, the schedule's file: what an administrator calls it.
    package var name: String
    /// When: "*/5 * * * *", "OnCalendar=daily", "stream tcp port 113"; empty where nothing says it.
    package var schedule: String
    /// The user it runs as, where that is said.
    package var user: String?
    /// What is started: a command line, a program, or a directory of programs (then it ends in "/").
    package var command: String
    /// The programs that the command names by path, as far as that can be told without a shell.
    package var programs: [String]

    package init(
        kind: Kind, file: String, line: Int? = nil, name: String, schedule: String = "", user: String? = nil,
        command: String,
        programs: [String] = []
    ) {
        self.kind = kind
        self.file = file
        self.line = line
        self.name = name
        self.schedule = schedule
        self.user = user
        self.command = command
        self.programs = programs
    }

    /// A short name for a table: "cron /etc/crontab:7", "systemd service logrotate.service".
    package var title: String {
        switch kind {
        case .cron: "cron \(file)" + (line.map { ":\($0)" } ?? "")
        default: "\(kind.rawValue) \(name)"
        }
    }
}
