/// A command line, read: what runc's looks like. Pure.
package enum Command: Sendable {
    case create(Making)
    case run(Running)
    case start(id: String)
    case state(id: String)
    case kill(id: String, signal: String, all: Bool)
    case delete(id: String, force: Bool)
    case exec(Executing)
    case list(format: String, quiet: Bool)
    case ps(id: String, format: String, words: [String])
    case events(id: String, interval: Int, once: Bool)
    case pause(id: String)
    case resume(id: String)
    case update(id: String, OptionReading)
    case spec(bundle: String, rootless: Bool)
    case features
    case help
    case version

    /// Options of create, which run has, too.
    package struct Making: Hashable, Sendable {
        package var id: String
        package var bundle: String
        package var consoleSocket: String?
        package var pidFile: String?
        package var noPivot: Bool
        package var noNewKeyring: Bool
        /// Descriptors from 3 on that the program gets.
        package var preservedDescriptors: Int
    }

    package struct Running: Hashable, Sendable {
        package var making: Making
        package var isDetached: Bool
        /// Leaves the container when it has stopped.
        package var isKept: Bool
    }

    package struct Executing: Hashable, Sendable {
        package var id: String
        /// The program and its arguments; empty with `processFile`.
        package var arguments: [String]
        package var processFile: String?
        package var consoleSocket: String?
        package var pidFile: String?
        package var directory: String?
        package var environment: [String] = []
        package var hasTerminal = false
        /// "uid[:gid]"
        package var user: String?
        package var additionalGroups: [String] = []
        package var isDetached = false
        package var processLabel: String?
        package var apparmorProfile: String?
        package var noNewPrivileges = false
        package var capabilities: [String] = []
        package var preservedDescriptors = 0
        package var ignoresPause = false
    }

    /// The words for who asks.
    package static let verbs = [
        "create", "delete", "events", "exec", "features", "kill", "list", "pause", "ps", "resume", "run", "spec",
        "start",
        "state", "update",
    ]

    /// Reads everything after the program's name.
    package static func read(_ words: [String]) throws(RuntimeFailure) -> (GlobalOptions, Command) {
        let global = try OptionReading(words[...], GlobalOptions.options)
        let options = try GlobalOptions(global)
        if global.isOn("version") { return (options, .version) }
        guard !global.isOn("help"), let verb = global.rest.first, verb != "help" else { return (options, .help) }
        return (options, try read(verb, global.rest.dropFirst()))
    }

    private static func read(_ verb: String, _ words: ArraySlice<String>) throws(RuntimeFailure) -> Command {
        if ["checkpoint", "restore"].contains(verb) {
            throw RuntimeFailure(
                "\(verb): this runtime cannot freeze containers into files and wake them again; `pause` and `resume` stop one where it stands"
            )
        }
        guard let options = VerbOptions.options(of: verb) else {
            throw RuntimeFailure("No help topic for '\(verb)': the commands are \(verbs.joined(separator: ", "))")
        }
        let read = try OptionReading(words, options + [.flag("help", "h")])
        if read.isOn("help") { return .help }
        let arguments = try Arguments(read, verb)
        switch verb {
        case "create": return .create(try arguments.making())
        case "run":
            return .run(
                Running(making: try arguments.making(), isDetached: read.isOn("detach"), isKept: read.isOn("keep")))
        case "start": return .start(id: try arguments.onlyID())
        case "state": return .state(id: try arguments.onlyID())
        case "kill": return try arguments.kill()
        case "delete": return .delete(id: try arguments.onlyID(), force: read.isOn("force"))
        case "exec": return .exec(try arguments.executing())
        case "list": return .list(format: try arguments.format(["table", "json"]), quiet: read.isOn("quiet"))
        case "ps":
            return .ps(
                id: try arguments.id(), format: try arguments.format(["table", "json"]),
                words: Array(read.rest.dropFirst()))
        case "events": return try arguments.events()
        case "pause": return .pause(id: try arguments.onlyID())
        case "resume": return .resume(id: try arguments.onlyID())
        case "update": return .update(id: try arguments.onlyID(), read)
        case "spec":
            return .spec(bundle: read.value("bundle") ?? ".", rootless: read.isOn("rootless"))
        case "features": return .features
        default: throw RuntimeFailure("no command \(verb)")
        }
    }
}
