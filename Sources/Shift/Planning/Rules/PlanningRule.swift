package import Observation

/// Everything that a rule may look at.
package struct PlanSubject: Hashable, Sendable {
    package var program: RecordedProgram
    package var file: ProgramFile
    /// Where its calls come from.
    package var origins: [ProgramOrigin]

    package init(_ program: RecordedProgram, file: ProgramFile, origins: [ProgramOrigin] = []) {
        self.program = program
        self.file = file
        self.origins = origins
    }
}

/// One thing that decides about rungs: a pure function.
package struct PlanningRule: Sendable {
    package var name: String
    package var judge: @Sendable (PlanSubject) -> [Finding]

    init(_ name: String, _ judge: @escaping @Sendable (PlanSubject) -> [Finding]) {
        self.name = name
        self.judge = judge
    }

    /// All rules, in the order in which a plan names them.
    package static let all: [PlanningRule] = [
        identity, format, privileges, foreignCode, longLife, localState, terminal, inheritedDescriptors, standardInput,
        arguments,
        sharedMemory, sockets, signals, notableCalls, users, workingDirectory, descendants, outcomes,
    ]

    /// "1 file", "3 files".
    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// What tracing would have told.
    static let askForTracing = "it was not traced; `forkless observe --deep` tells"
}
