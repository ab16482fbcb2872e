import ArgumentParser
import Linux

/// A verb of `forkless`.
protocol Verb: AsyncParsableCommand, Sendable {
    /// The status of a failure that has none of its own.
    static var failureStatus: Int32 { get }
    /// Blocks the signals that are data to it; called before any thread is made.
    static func blockSignals() throws
}

extension Verb {
    static var failureStatus: Int32 { ExitCodes.verbFailed }
    static func blockSignals() throws {}
}

/// A verb that ends with a program and its arguments, which are the program's alone.
protocol RunsProgram: Verb {
    /// The program and its arguments: what follows the flags.
    var command: [String] { get }
}

extension RunsProgram {
    static var failureStatus: Int32 { ExitCodes.ownFailure }
    static func blockSignals() throws { try SignalFD.block(ForwardedSignals.all) }
}

/// What the arguments ask for.
enum Invocation {
    case verb(any Verb)
    /// The parser has said all there is: help, completions, a mistake.
    case said(Outcome)

    /// Reads the arguments that follow the program's name.
    static func parse(_ arguments: [String]) -> Invocation {
        var arguments = arguments
        while true {
            let command: any ParsableCommand
            do { command = try direct(arguments) ?? ForklessCommand.parseAsRoot(arguments) } catch {
                return .said(outcome(of: error))
            }
            guard let verb = command as? any Verb else { return said(by: command) }
            guard let first = (verb as? any RunsProgram)?.command.first, first.hasPrefix("-"), first != "--" else {
                return .verb(verb)
            }
            // The parser hands over everything from the first flag it does not know. A program has no such name.
            let captured = (verb as? any RunsProgram)?.command.count ?? 0
            let at = arguments.count - captured
            if first == "--help" {
                return .said(Outcome(status: 0, output: ForklessCommand.helpMessage(for: type(of: verb)) + "\n"))
            }
            if let parts = split(joined: first) {
                arguments.replaceSubrange(at...at, with: parts)
                continue
            }
            return .said(misuse("Unknown option '\(first)'", of: type(of: verb)))
        }
    }

    /// The verb that the first word names, read by its own parser: reading it as one of all verbs costs as much again.
    /// nil where that says anything but a verb that is complete: all the parser's sentences come from the whole.
    private static func direct(_ arguments: [String]) -> (any ParsableCommand)? {
        guard let name = arguments.first,
            let named = ForklessCommand.configuration.subcommands.first(where: { $0.configuration.commandName == name }),
            let verb = try? named.parseAsRoot(Array(arguments.dropFirst())), verb is any Verb,
            (verb as? any RunsProgram)?.command.first?.hasPrefix("-") != true
        else { return nil }
        return verb
    }

    /// "-eA=b" as "-e", "A=b": the parser takes it for a long name with one dash.
    static func split(joined flag: String) -> [String]? {
        guard flag.hasPrefix("-e") || flag.hasPrefix("-l"), flag.count > 2, flag.contains("=") else { return nil }
        return [String(flag.prefix(2)), String(flag.dropFirst(2))]
    }

    /// What the parser's own commands say: `forkless`, `forkless help run`.
    private static func said(by command: any ParsableCommand) -> Invocation {
        var command = command
        do {
            try command.run()
            return .said(Outcome(status: 0))
        } catch {
            return .said(outcome(of: error))
        }
    }

    /// A mistake that the parser could not see, in its words.
    static func misuse(_ sentence: String, of verb: any Verb.Type) -> Outcome {
        let usage = ForklessCommand.usageString(for: verb)
        let name = verb.configuration.commandName ?? ""
        let text = "Error: \(sentence)\nUsage: \(usage)\n  See 'forkless \(name) --help' for more information.\n"
        return Outcome(status: ExitCodes.ownFailure, errors: text)
    }

    /// Help and completions on stdout, mistakes on stderr with Docker's 125.
    static func outcome(of error: any Error) -> Outcome {
        let text = ForklessCommand.fullMessage(for: error) + "\n"
        if ForklessCommand.exitCode(for: error) == .success { return Outcome(status: 0, output: text) }
        return Outcome(status: ExitCodes.ownFailure, errors: text)
    }
}
