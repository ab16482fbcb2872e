/// Which options each verb has.
enum VerbOptions {
    /// Those of a verb; nil for a word that is none. Only what is asked for is made.
    static func options(of verb: String) -> [OptionReading.Option]? {
        switch verb {
        case "create": making
        // There is no subreaper to be left out.
        case "run": making + [.flag("detach", "d"), .flag("keep"), .flag("no-subreaper")]
        case "start", "state", "pause", "resume", "features": []
        case "kill": [.flag("all", "a")]
        case "delete": [.flag("force", "f")]
        case "exec": executing
        case "list": [.value("format", "f"), .flag("quiet", "q")]
        case "ps": [.value("format", "f")]
        case "events": [.value("interval"), .flag("stats")]
        case "update": updating
        case "spec": [.value("bundle", "b"), .flag("rootless")]
        default: nil
        }
    }

    private static var making: [OptionReading.Option] {
        [
            .value("bundle", "b"), .value("console-socket"), .value("pid-file"), .flag("no-pivot"),
            .flag("no-new-keyring"), .value("preserve-fds"),
        ]
    }

    private static var executing: [OptionReading.Option] {
        [
            .value("console-socket"), .value("cwd"), .value("env", "e"), .flag("tty", "t"), .value("user", "u"),
            .value("additional-gids", "g"), .value("process", "p"), .flag("detach", "d"), .value("pid-file"),
            .value("process-label"), .value("apparmor"), .flag("no-new-privs"), .value("cap", "c"),
            .value("preserve-fds"), .flag("ignore-paused"), .flag("no-subreaper"),
        ]
    }

    private static var updating: [OptionReading.Option] {
        [
            .value("resources", "r"), .value("blkio-weight"), .value("cpu-period"), .value("cpu-quota"),
            .value("cpu-burst"), .value("cpu-share"), .value("cpu-rt-period"), .value("cpu-rt-runtime"),
            .value("cpuset-cpus"), .value("cpuset-mems"), .value("cpu-idle"), .value("memory"),
            .value("memory-reservation"), .value("memory-swap"), .value("pids-limit"),
        ]
    }
}

/// The words of one verb, with what it demands of them.
struct Arguments {
    let read: OptionReading
    let verb: String

    init(_ read: OptionReading, _ verb: String) throws(RuntimeFailure) {
        self.read = read
        self.verb = verb
        let needsNone = ["list", "spec", "features"].contains(verb)
        if needsNone, let word = read.rest.first { throw RuntimeFailure("\(verb): unexpected argument \"\(word)\"") }
    }

    /// The container's id, which comes first.
    func id() throws(RuntimeFailure) -> String {
        guard let id = read.rest.first else { throw RuntimeFailure("\(verb): needs the id of a container") }
        try ContainerID.check(id)
        return id
    }

    func onlyID() throws(RuntimeFailure) -> String {
        let id = try id()
        guard read.rest.count == 1 else { throw RuntimeFailure("\(verb): unexpected argument \"\(read.rest[1])\"") }
        return id
    }

    func making() throws(RuntimeFailure) -> Command.Making {
        Command.Making(
            id: try onlyID(), bundle: read.value("bundle").flatMap { $0.isEmpty ? nil : $0 } ?? ".",
            consoleSocket: text("console-socket"), pidFile: text("pid-file"), noPivot: read.isOn("no-pivot"),
            noNewKeyring: read.isOn("no-new-keyring"), preservedDescriptors: try preserved())
    }

    func kill() throws(RuntimeFailure) -> Command {
        let id = try id()
        guard read.rest.count <= 2 else { throw RuntimeFailure("kill: unexpected argument \"\(read.rest[2])\"") }
        return .kill(id: id, signal: read.rest.count == 2 ? read.rest[1] : "SIGTERM", all: read.isOn("all"))
    }

    func executing() throws(RuntimeFailure) -> Command.Executing {
        var executing = Command.Executing(
            id: try id(), arguments: Array(read.rest.dropFirst()), processFile: text("process"),
            consoleSocket: text("console-socket"), pidFile: text("pid-file"))
        executing.directory = text("cwd")
        executing.environment = read.all("env")
        executing.hasTerminal = read.isOn("tty")
        executing.user = text("user")
        executing.additionalGroups = read.all("additional-gids").flatMap { $0.split(separator: ",").map(String.init) }
        executing.isDetached = read.isOn("detach")
        executing.processLabel = text("process-label")
        executing.apparmorProfile = text("apparmor")
        executing.noNewPrivileges = read.isOn("no-new-privs")
        executing.capabilities = read.all("cap")
        executing.preservedDescriptors = try preserved()
        executing.ignoresPause = read.isOn("ignore-paused")
        if executing.processFile == nil, executing.arguments.isEmpty {
            throw RuntimeFailure("exec: needs a program to execute, or --process")
        }
        return executing
    }

    func events() throws(RuntimeFailure) -> Command {
        .events(id: try onlyID(), interval: try seconds(read.value("interval") ?? "5s"), once: read.isOn("stats"))
    }

    func format(_ known: [String]) throws(RuntimeFailure) -> String {
        let format = read.value("format") ?? known[0]
        guard known.contains(format) else {
            throw RuntimeFailure("invalid format option \"\(format)\": expected \(known.joined(separator: " or "))")
        }
        return format
    }

    /// Go's durations as far as they make sense here: "5s", "500ms", "1m"; in milliseconds.
    private func seconds(_ text: String) throws(RuntimeFailure) -> Int {
        for (unit, milliseconds) in [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)] where text.hasSuffix(unit)
        {
            guard let number = Int(text.dropLast(unit.count)), number > 0, number <= 1_000_000 else { break }
            return number * milliseconds
        }
        throw RuntimeFailure("duration \"\(text)\": expected a duration greater than 0 such as 5s")
    }

    private func text(_ name: String) -> String? { read.value(name).flatMap { $0.isEmpty ? nil : $0 } }
    private func preserved() throws(RuntimeFailure) -> Int { try read.number("preserve-fds", in: 0...1024) ?? 0 }
}
