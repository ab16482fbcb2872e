/// Tells which origins a program that was executed comes from.
///
/// Pure, and asked for every exec: what is looked at first is a dictionary. A match is a statement about configuration and
/// kinship, not a proof: the parent runs what this origin's kind is started by, and the program is the one it names.
///
/// Invariant: an origin matches only below its own kind of starter; the same program started by hand has no origin.
/// (test: `a program that somebody starts by hand comes from no crontab`)
package struct OriginMatcher: Sendable {
    /// What is asked about.
    package struct Subject: Hashable, Sendable {
        package var program: String?
        package var arguments: [String]?
        /// The unit of systemd whose control group it is in.
        package var unit: String?
        package var parentProgram: String?

        package init(program: String?, arguments: [String]?, unit: String?, parentProgram: String?) {
            self.program = program
            self.arguments = arguments
            self.unit = unit
            self.parentProgram = parentProgram
        }
    }

    private let origins: [ProgramOrigin]
    private var commands: [String: [Int]] = [:]
    private var programs: [String: [Int]] = [:]
    private var units: [String: [Int]] = [:]
    private var directories: [(prefix: String, index: Int)] = []

    package init(_ origins: [ProgramOrigin]) {
        self.origins = origins
        for (index, origin) in origins.enumerated() {
            commands[Self.normal(origin.command), default: []].append(index)
            for program in origin.programs { programs[program, default: []].append(index) }
            if origin.kind == .systemdService { units[origin.name, default: []].append(index) }
            if origin.command.hasSuffix("/") { directories.append((origin.command, index)) }
        }
    }

    /// Positions of the origins, in ascending order.
    package func origins(of subject: Subject) -> [Int] {
        guard !origins.isEmpty else { return [] }
        var found: Set<Int> = []
        if let unit = subject.unit { found.formUnion(units[unit] ?? []) }
        let starter = subject.parentProgram.map(Paths.last) ?? ""
        if let command = Self.shellCommand(subject.arguments) {
            found.formUnion((commands[Self.normal(command)] ?? []).filter { startsIt(starter, $0) })
        }
        if let program = subject.program {
            found.formUnion((programs[program] ?? []).filter { startsIt(starter, $0) })
            for directory in directories where program.hasPrefix(directory.prefix) && startsIt(starter, directory.index)
            {
                found.insert(directory.index)
            }
        }
        return found.sorted()
    }

    /// Whether a program of this name starts what the origin names.
    private func startsIt(_ starter: String, _ index: Int) -> Bool {
        switch origins[index].kind {
        case .cron: ["cron", "crond", "anacron", "fcron", "busybox"].contains(starter)
        case .cronDirectory: ["run-parts", "anacron"].contains(starter)
        case .systemdService, .systemdTimer, .systemdSocket:
            ["systemd", "systemd-executor", "init"].contains(starter)
        case .inetd: ["inetd", "inetutils-inetd", "busybox"].contains(starter)
        case .xinetd: starter == "xinetd"
        case .cgi:
            ["apache2", "httpd", "fcgiwrap", "spawn-fcgi", "lighttpd", "nginx", "thttpd", "uwsgi", "cgid"].contains(
                starter)
        }
    }

    /// "CMD" of `sh -c CMD`, which is how cron starts things.
    private static func shellCommand(_ arguments: [String]?) -> String? {
        guard let arguments, arguments.count >= 3, arguments[1] == "-c" else { return nil }
        return arguments[2]
    }

    /// Without what cron takes off and adds at the ends.
    private static func normal(_ command: String) -> String {
        command.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }
}
