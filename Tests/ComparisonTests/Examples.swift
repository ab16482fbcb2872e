import Comparison

/// Findings of the probe, one of each outcome.
enum Examples {
    static let findings = [
        IsolationFinding(name: "see-processes", question: "see processes that are not its own", outcome: .stopped),
        IsolationFinding(name: "mount", question: "mount a file system", outcome: .possible, detail: "mount: allowed"),
        IsolationFinding(
            name: "reach-tmp", question: "read the files of others in /tmp", outcome: .unknown("no marker")),
    ]
}
