package import Observation

/// What is to be packed.
package struct PackRequest: Hashable, Sendable {
    /// The program's absolute path.
    package var program: String
    /// What was recorded of it; nil: there is no recording.
    package var recorded: RecordedProgram?
    /// What was traced of programs that it started: they come along.
    package var children: [RecordedProgram]
    /// Files that are asked for beside.
    package var included: [String]
    /// Files that are each call's input, and so no part of the program.
    package var inputs: Set<String>

    package init(
        program: String, recorded: RecordedProgram? = nil, children: [RecordedProgram] = [], included: [String] = [],
        inputs: Set<String> = []
    ) {
        self.program = program
        self.recorded = recorded
        self.children = children
        self.included = included
        self.inputs = inputs
    }

    /// The tracing of it and of what it started; nil when neither was traced.
    var facts: [DeepFacts] { ([recorded].compactMap(\.self) + children).compactMap(\.deep) }
}
