import Engine

/// The words that follow a verb's flags: a program and its arguments.
struct ProgramWords: Hashable {
    var program: String
    var arguments: [String]

    /// - Throws: `CommandFailure` when there is no program.
    init(_ words: [String], verb: String) throws(CommandFailure) {
        // "--" ends the flags; everything after it, also another "--", is the program's.
        var words = words[...]
        if words.first == "--" { words.removeFirst() }
        guard let program = words.first else {
            throw CommandFailure(
                "\(verb): no program. Write it after the flags: forkless \(verb) ... PROGRAM ARGUMENTS",
                status: ExitCodes.ownFailure)
        }
        guard !program.isEmpty else {
            throw CommandFailure("\(verb): the program's name is empty", status: ExitCodes.ownFailure)
        }
        self.program = program
        arguments = Array(words.dropFirst())
    }

    func spec() -> ContainerSpec { ContainerSpec(program: program, arguments: arguments) }
}
