/// What one rule says of one program.
package struct Finding: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// These rungs cannot keep what the program does.
        case blocker
        /// These rungs need something beside the program: a volume, a network.
        case condition
        /// The recording does not tell what would decide about these rungs.
        case unknown
        /// Worth knowing; decides nothing.
        case note
    }

    /// The rule's name: "local state".
    package var rule: String
    package var kind: Kind
    /// The rungs that it speaks of; empty for a note.
    package var rungs: Set<PlannedRung>
    package var sentence: String
    /// What it stands on: paths, descriptors, calls; the first few.
    package var evidence: [String]

    /// Whether tracing would have told.
    package var wantsTracing: Bool { kind == .unknown && sentence.contains(PlanningRule.askForTracing) }

    /// So much evidence is shown; the number of all is in the sentence.
    package static let evidenceLimit = 6

    package init(
        _ rule: String, _ kind: Kind, _ rungs: Set<PlannedRung> = [], _ sentence: String, evidence: [String] = []
    ) {
        self.rule = rule
        self.kind = kind
        self.rungs = rungs
        self.sentence = sentence
        self.evidence = Array(evidence.prefix(Self.evidenceLimit))
    }
}

extension Set<PlannedRung> {
    /// Where each call runs in a place of its own.
    package static let isolated: Set = [.container, .service, .standby, .runtime]
    package static let functions: Set = [.standby, .runtime]
}
