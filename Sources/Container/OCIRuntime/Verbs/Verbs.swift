import JSON
import Linux
import OCI

/// Carries a command out. One file of this folder per verb.
struct Verbs {
    private(set) var options: GlobalOptions
    let report: Report

    init(options: GlobalOptions, report: Report) {
        self.options = options
        // The working directory changes.
        self.options.root = OwnProcess.absolute(options.root)
        self.report = report
    }

    /// Returns the status to exit with.
    func perform(_ command: Command) throws(RuntimeFailure) -> Int32 {
        switch command {
        case .create(let making): try create(making)
        case .run(let running): return try run(running)
        case .start(let id): try start(id)
        case .state(let id): try state(id)
        case .kill(let id, let signal, let all): try kill(id, signal: signal, all: all)
        case .delete(let id, let force): try delete(id, force: force)
        case .exec(let executing): return try exec(executing)
        case .list(let format, let quiet): try list(format: format, isQuiet: quiet)
        case .ps(let id, let format, let words): return try ps(id, format: format, words)
        case .events(let id, let interval, let once): try events(id, interval: interval, once: once)
        case .pause(let id): try freeze(id, true)
        case .resume(let id): try freeze(id, false)
        case .update(let id, let read): try update(id, read)
        case .spec(let bundle, let rootless): try spec(bundle: bundle, isRootless: rootless)
        case .features: try features()
        case .help: try say(Usage.text)
        case .version: try say(Usage.version)
        }
        return 0
    }

    /// Writes to standard output, with a newline.
    func say(_ text: String) throws(RuntimeFailure) {
        try attempt { () throws(SystemError) in
            try Files.writeAll(Array("\(text)\n".utf8), to: 1, name: "standard output")
        }
    }

    func say(_ value: JSONValue, _ layout: JSONWriter.Layout = .indented(2)) throws(RuntimeFailure) {
        try say(JSONWriter.text(value, layout))
    }
}
