/// A command as a Dockerfile writes it: a JSON array that is executed as it stands, or text for the shell.
package enum CommandForm: Hashable, Sendable {
    case exec([String])
    case shell(String)
}

/// `NAME=VALUE`, not expanded, quotes still in place.
package struct NamedValue: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// `ARG NAME` or `ARG NAME=DEFAULT`.
package struct ArgumentDeclaration: Hashable, Sendable {
    package var name: String
    /// nil: only `--build-arg`, or the same name before the first FROM, gives it a value.
    package var fallback: String?

    package init(name: String, fallback: String?) {
        self.name = name
        self.fallback = fallback
    }
}

/// What COPY and ADD put into the image.
package enum CopySource: Hashable, Sendable {
    /// A path or pattern below the context, or below the root of the stage or image that `--from` names.
    case path(String)
    /// A file that the Dockerfile itself holds.
    case heredoc(Heredoc)
}

/// COPY, or ADD of local files.
package struct CopyInstruction: Hashable, Sendable {
    package var sources: [CopySource]
    package var destination: String
    /// A stage's name or number, or an image. nil: the context.
    package var from: String?
    package var owner: String?
    package var mode: String?
    /// ADD: archives among the sources are unpacked.
    package var unpacksArchives: Bool

    package init(
        sources: [CopySource], destination: String, from: String? = nil, owner: String? = nil, mode: String? = nil,
        unpacksArchives: Bool = false
    ) {
        self.sources = sources
        self.destination = destination
        self.from = from
        self.owner = owner
        self.mode = mode
        self.unpacksArchives = unpacksArchives
    }
}

/// HEALTHCHECK; nil stands for what the base image or the engine says.
package struct HealthCheckInstruction: Hashable, Sendable {
    package enum Test: Hashable, Sendable {
        /// `HEALTHCHECK NONE`: also what the base image checks is not checked.
        case none
        case command(CommandForm)
    }

    package var test: Test
    package var intervalNanoseconds: Int?
    package var timeoutNanoseconds: Int?
    package var startPeriodNanoseconds: Int?
    package var startIntervalNanoseconds: Int?
    package var retries: Int?

    package init(
        test: Test, intervalNanoseconds: Int? = nil, timeoutNanoseconds: Int? = nil, startPeriodNanoseconds: Int? = nil,
        startIntervalNanoseconds: Int? = nil, retries: Int? = nil
    ) {
        self.test = test
        self.intervalNanoseconds = intervalNanoseconds
        self.timeoutNanoseconds = timeoutNanoseconds
        self.startPeriodNanoseconds = startPeriodNanoseconds
        self.startIntervalNanoseconds = startIntervalNanoseconds
        self.retries = retries
    }
}

/// What one instruction asks for; variables stand as written until the build reaches it.
package enum Instruction: Hashable, Sendable {
    case argument([ArgumentDeclaration])
    case environment([NamedValue])
    case label([NamedValue])
    /// The text for the shell already holds the heredocs that belong to it.
    case run(CommandForm)
    /// A single heredoc that begins with `#!`: a script to be executed by its interpreter.
    case script(String)
    case copy(CopyInstruction)
    case workingDirectory(String)
    case user(String)
    case expose([String])
    case volume([String])
    case entrypoint(CommandForm)
    case command(CommandForm)
    case shell([String])
    case stopSignal(String)
    case healthCheck(HealthCheckInstruction)
}

/// An instruction at its place.
package struct Step: Hashable, Sendable {
    package var line: Int
    /// As written, continuation lines joined, without heredocs.
    package var text: String
    package var instruction: Instruction

    package init(line: Int, text: String, instruction: Instruction) {
        self.line = line
        self.text = text
        self.instruction = instruction
    }
}

/// `FROM` and all up to the next one.
package struct Stage: Hashable, Sendable {
    /// Counted from 0.
    package var number: Int
    /// In lower case, as Docker compares them.
    package var name: String?
    package var line: Int
    /// An earlier stage, an image or `scratch`; not expanded.
    package var base: String
    /// Not expanded.
    package var platform: String?
    package var steps: [Step]

    package init(number: Int, name: String?, line: Int, base: String, platform: String?, steps: [Step]) {
        self.number = number
        self.name = name
        self.line = line
        self.base = base
        self.platform = platform
        self.steps = steps
    }
}
