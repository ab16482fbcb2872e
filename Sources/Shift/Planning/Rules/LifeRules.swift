import Comparison
import Linux
import Observation

// What its calls, as they were counted, decide.

extension PlanningRule {
    /// Lambda's longest call, which the functions here have as well: 15 minutes.
    package static let functionLimitNanoseconds = 900 * 1_000_000_000
    /// Who lives longer is something that stays, rather than an answer to a call.
    package static let serviceFromNanoseconds = 60 * 1_000_000_000

    static let longLife = PlanningRule("long life") { subject in
        let program = subject.program
        if program.lifetime.isEmpty {
            guard program.unfinished > 0 else { return [] }
            return [
                Finding(
                    "long life", .blocker, .functions,
                    "none of its \(count(program.unfinished, "call")) ended while it was observed: a function ends with its answer"
                )
            ]
        }
        if program.lifetime.maximum > functionLimitNanoseconds {
            let longest = FloatingText.duration(nanoseconds: program.lifetime.maximum)
            return [
                Finding("long life", .blocker, .functions, "a call took \(longest): a function has 15 minutes at most")
            ]
        }
        guard program.unfinished * 2 > program.calls else { return [] }
        return [
            Finding(
                "long life", .unknown, .functions,
                "\(program.unfinished) of \(count(program.calls, "call")) had not ended when the recording did: how long they live is not known"
            )
        ]
    }

    /// A standby has its arguments before there is a call.
    static let arguments = PlanningRule("arguments") { subject in
        let program = subject.program
        let different = Set(program.examples.map(\.arguments))
        if different.count > 1 {
            let shown = different.sorted { $0.lexicographicallyPrecedes($1) }.map {
                $0.dropFirst().joined(separator: " ")
            }
            return [
                Finding(
                    "arguments", .blocker, [.standby],
                    "its arguments differ from call to call, and a standby is started with them ahead", evidence: shown)
            ]
        }
        guard program.argumentsMissed > 0 || different.isEmpty else { return [] }
        return [
            Finding(
                "arguments", .unknown, [.standby],
                "the arguments of \(count(program.argumentsMissed, "call")) were gone before they could be read: whether they are always the same is not known"
            )
        ]
    }

    static let users = PlanningRule("users") { subject in
        let users = subject.program.users.keys.sorted()
        guard users.count > 1 else { return [] }
        return [
            Finding(
                "users", .blocker, [.service, .standby, .runtime],
                "it runs as \(users.count) users; what is started ahead has one", evidence: users.map { "uid \($0)" })
        ]
    }

    static let workingDirectory = PlanningRule("working directory") { subject in
        let directories = subject.program.directories.keys.sorted()
        guard directories.count > 1 else { return [] }
        return [
            Finding(
                "working directory", .condition, [.service, .standby, .runtime],
                "it is called in \(directories.count) directories; what is started ahead has one, so that relative paths must not matter",
                evidence: directories)
        ]
    }

    static let outcomes = PlanningRule("outcomes") { subject in
        let program = subject.program
        guard program.failures > 0 else { return [] }
        let ends = program.exits.filter { !$0.key.isSuccess }.sorted {
            ($1.value, "\($0.key)") < ($0.value, "\($1.key)")
        }
        return [
            Finding(
                "outcomes", .note, [],
                "\(program.failures) of \(count(program.calls, "call")) did not end with status 0",
                evidence: ends.map { "\($0.key): \($0.value)" })
        ]
    }
}
