import Glibc

/// Finds out from inside what a program can do to the machine it runs on, by trying.
///
/// It runs as an ordinary program of the rung that is being compared (`forkless probe`), with that rung's
/// identity, files and filters, and needs nothing from it: an attempt that cannot be made is an answer, too.
///
/// Invariants:
/// 1. Every attempt is harmless on a machine that protects itself from nothing: what it does is undone or ends
///    with a child of its own. Test: `the probe leaves the machine as it was`.
/// 2. One report per attempt, in the same order, whatever happens: an attempt never ends the probe.
///    Test: `every attempt reports once`.
package enum IsolationProbe {
    /// Makes every attempt, with what the driver has put into the environment.
    package static func run() -> [ProbeReport] {
        var reports: [ProbeReport] = []
        run(ProbeSettings.ofProcess()) { reports.append($0) }
        return reports
    }

    /// Makes every attempt and reports each before the next begins.
    ///
    /// The attempt to exceed the memory limit is the last: where the kernel kills a whole sandbox for it, all
    /// other reports are out already.
    package static func run(_ settings: ProbeSettings, report: (ProbeReport) -> Void) {
        for attempt in attempts { report(attempt.made(settings)) }
    }

    /// Everything that is tried, forty things.
    package static let attempts: [ProbeAttempt] =
        ProbeAttempt.ofProcesses + ProbeAttempt.ofNetwork + ProbeAttempt.ofFiles + ProbeAttempt.ofPrivileges
        + ProbeAttempt.ofKernel + ProbeAttempt.ofLimits
}

/// What the probe says about one attempt.
package typealias ProbeReport = IsolationFinding

/// One thing to try.
package struct ProbeAttempt: Sendable {
    package var name: String
    /// Completes "can a program there ...".
    package var question: String
    private var verdict: @Sendable (ProbeSettings) throws(ProbeGap) -> ProbeVerdict

    init(
        _ name: String, _ question: String,
        verdict: @escaping @Sendable (ProbeSettings) throws(ProbeGap) -> ProbeVerdict
    ) {
        self.name = name
        self.question = question
        self.verdict = verdict
    }

    /// Tries it.
    package func made(_ settings: ProbeSettings) -> ProbeReport {
        do {
            let verdict = try verdict(settings)
            return ProbeReport(
                name: name, question: question, outcome: verdict.isPossible ? .possible : .stopped,
                detail: verdict.detail)
        } catch {
            return ProbeReport(name: name, question: question, outcome: .unknown(error.reason))
        }
    }
}

/// How an attempt went.
struct ProbeVerdict: Hashable, Sendable {
    var isPossible: Bool
    var detail: String

    static func possible(_ detail: String) -> ProbeVerdict { ProbeVerdict(isPossible: true, detail: detail) }
    static func stopped(_ detail: String) -> ProbeVerdict { ProbeVerdict(isPossible: false, detail: detail) }
}

/// Why an attempt could not be made.
package struct ProbeGap: Error, Hashable, Sendable {
    package var reason: String
}

/// What the driver tells the probe about the machine outside, in environment variables: things that cannot be
/// seen from inside when the isolation works.
package struct ProbeSettings: Hashable, Sendable {
    /// A process outside the sandbox, by its number there.
    package static let outsidePID = "FORKLESS_PROBE_OUTSIDE_PID"
    /// A TCP port on which the driver listens at the machine's 127.0.0.1.
    package static let port = "FORKLESS_PROBE_PORT"
    /// A file with at least one byte that the driver has made in the machine's /tmp.
    package static let marker = "FORKLESS_PROBE_MARKER"
    /// A Unix socket in the machine's /run, or /tmp, at which the driver listens, for its own user alone.
    package static let socket = "FORKLESS_PROBE_SOCKET"
    /// An abstract Unix socket at which the driver listens, with "@" before its name.
    package static let abstractSocket = "FORKLESS_PROBE_ABSTRACT_SOCKET"
    /// A segment of System V's shared memory of the driver's, by its id.
    package static let sharedSegment = "FORKLESS_PROBE_SHARED_SEGMENT"
    /// A file in the machine's /dev/shm with at least one byte.
    package static let sharedFile = "FORKLESS_PROBE_SHARED_FILE"
    /// Mebibytes of disk to try to take: more than the sandbox was given. 64 where nothing is said.
    package static let diskMebibytes = "FORKLESS_PROBE_DISK_MIB"
    /// Mebibytes to try to use: more than the sandbox was given.
    package static let memoryMebibytes = "FORKLESS_PROBE_MEMORY_MIB"
    /// Processes to try to start: more than the sandbox was given.
    package static let forks = "FORKLESS_PROBE_FORKS"

    private static let names = [
        outsidePID, port, marker, socket, abstractSocket, sharedSegment, sharedFile, diskMebibytes, memoryMebibytes,
        forks,
    ]

    package var environment: [String: String]

    package init(environment: [String: String]) { self.environment = environment }

    /// Those of this process.
    package static func ofProcess() -> ProbeSettings {
        var environment: [String: String] = [:]
        for name in names {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return ProbeSettings(environment: environment)
    }

    func text(_ name: String) throws(ProbeGap) -> String {
        guard let value = environment[name], !value.isEmpty else { throw ProbeGap(reason: "\(name) is not set") }
        return value
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws(ProbeGap) -> Int {
        let text = try text(name)
        guard let number = Int(text), range.contains(number) else {
            throw ProbeGap(
                reason: "\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }
}
