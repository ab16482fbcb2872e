import Comparison

/// Measurements as tables meet them: a full one, one with gaps, one where things went wrong.
enum Examples {
    static let findings = [
        IsolationFinding(name: "see-processes", question: "see processes that are not its own", outcome: .stopped),
        IsolationFinding(name: "mount", question: "mount a file system", outcome: .possible, detail: "mount: allowed"),
        IsolationFinding(
            name: "reach-tmp", question: "read the files of others in /tmp", outcome: .unknown("no marker")),
    ]

    static func distribution(_ samples: Int, times nanoseconds: Int) -> Reading<Distribution> {
        .measured(Distribution(nanoseconds: (1...samples).map { $0 * nanoseconds })!)
    }

    static var process: Measurement {
        var process = Measurement(rung: RungLabel(name: "process", title: "fork + exec"))
        process.start = distribution(200, times: 660_000)
        process.call = distribution(200, times: 670_000)
        process.callsPerSecond = .measured(13.1)
        process.cpuMicrosecondsPerCall = .measured(68_000)
        process.idleBytesPerInstance = .unavailable("a process ends with its call")
        process.busyBytesPerInstance = .measured(1_933_312)
        process.results = .reference
        process.isolation = .measured(
            findings.map { IsolationFinding(name: $0.name, question: $0.question, outcome: .possible) })
        process.callCount = 200
        return process
    }

    static var container: Measurement {
        var container = Measurement(rung: RungLabel(name: "container", title: "container, host root"))
        container.start = distribution(200, times: 5200)
        container.call = distribution(200, times: 21_000)
        container.callsPerSecond = .measured(1234)
        container.cpuMicrosecondsPerCall = .measured(1500)
        container.idleBytesPerInstance = .unavailable("a process ends with its call")
        container.busyBytesPerInstance = .measured(2_097_152)
        container.results = .identical
        container.isolation = .measured(findings)
        container.callCount = 200
        return container
    }

    static var standby: Measurement {
        var standby = Measurement(rung: RungLabel(name: "function", title: "function, standby"))
        standby.start = distribution(20, times: 4000)
        standby.call = distribution(20, times: 70_000)
        standby.cpuMicrosecondsPerCall = .measured(1490)
        standby.callsPerSecond = .unavailable("too few calls")
        standby.idleBytesPerInstance = .measured(512_000)
        standby.busyBytesPerInstance = .measured(2_000_000)
        standby.results = .different(calls: 2, first: 7)
        standby.isolation = .measured(Array(findings.dropLast()))
        standby.callCount = 20
        standby.failures = [CallFailure(call: 7, reason: "was killed by SIGKILL")]
        return standby
    }
}
