import Observation
import Planning

/// A manifest that fits where the program comes from: a CronJob for what cron starts, a Deployment for what stays, a Job
/// for what ends.
package struct KubernetesText: Sendable {
    private let program: PackedProgram

    package init(_ program: PackedProgram) { self.program = program }

    package enum Kind: String, Sendable {
        case job = "Job"
        case cronJob = "CronJob"
        case deployment = "Deployment"
    }

    package var kind: Kind {
        if schedule != nil { return .cronJob }
        if !program.ports.isEmpty || program.plan?.recommended == .service { return .deployment }
        return .job
    }

    /// In cron's five fields, from a crontab or from a timer that says something cron can say.
    package var schedule: String? {
        for origin in program.origins {
            switch origin.kind {
            case .cron where Self.isCronSchedule(origin.schedule): return origin.schedule
            case .cronDirectory, .systemdTimer:
                if let word = Self.word(in: origin.schedule + " " + origin.name) { return word }
            default: continue
            }
        }
        return nil
    }

    private static func isCronSchedule(_ text: String) -> Bool {
        if ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"].contains(text) {
            return true
        }
        return text.split(separator: " ").count == 5
    }

    private static func word(in text: String) -> String? {
        ["hourly", "daily", "weekly", "monthly"].first { text.contains($0) }.map { "@" + $0 }
    }

    package var text: String {
        var lines = ["# \(QuotedWord.comment(program.program)), as `forkless pack` found it."]
        if program.plan?.recommended == .standby || program.plan?.recommended == .runtime {
            lines.append("# Called for each piece of work, it suits a function better: see template.yaml.")
        }
        lines += ["apiVersion: \(kind == .deployment ? "apps/v1" : "batch/v1")", "kind: \(kind.rawValue)"]
        lines += ["metadata:", "  name: \(program.plainName)", "spec:"]
        switch kind {
        case .job: lines += ["  backoffLimit: 0", "  template:"] + pod(indent: 4, restart: "Never")
        case .cronJob:
            lines += [
                "  schedule: \(QuotedWord.text(schedule!))", "  concurrencyPolicy: Forbid", "  jobTemplate:",
                "    spec:",
                "      backoffLimit: 0", "      template:",
            ]
            lines += pod(indent: 8, restart: "Never")
        case .deployment:
            lines += ["  replicas: 1", "  selector:", "    matchLabels: {app: \(program.plainName)}", "  template:"]
            lines += pod(indent: 4, restart: "Always")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func pod(indent: Int, restart: String) -> [String] {
        var lines = ["metadata:", "  labels: {app: \(program.plainName)}", "spec:", "  restartPolicy: \(restart)"]
        lines += ["  automountServiceAccountToken: false", "  containers:", "  - name: \(program.plainName)"]
        lines += ["    image: \(QuotedWord.text(program.image))", "    imagePullPolicy: IfNotPresent"]
        lines.append("    command: \(QuotedWord.list([program.program]))")
        if !program.arguments.isEmpty { lines.append("    args: \(QuotedWord.list(program.arguments))") }
        lines.append("    workingDir: \(QuotedWord.text(program.workingDirectory))")
        if !program.ports.isEmpty {
            lines.append("    ports:")
            lines += program.ports.map { "    - containerPort: \($0)" }
        }
        lines += [
            "    securityContext:", "      allowPrivilegeEscalation: false", "      readOnlyRootFilesystem: true",
        ]
        if let uid = program.uid { lines += ["      runAsUser: \(uid)", "      runAsNonRoot: true"] }
        if let peak = program.peakMemoryBytes {
            // Twice what was seen, in whole MiB; what was seen is asked for.
            let (request, limit) = (max(1, (peak + 0xFFFFF) >> 20), max(16, (peak * 2 + 0xFFFFF) >> 20))
            lines += ["    resources:", "      requests: {memory: \(request)Mi}", "      limits: {memory: \(limit)Mi}"]
        }
        lines += ["    volumeMounts:", "    - {name: temporary, mountPath: /tmp}"]
        let directories = stateDirectories
        for (index, path) in directories.enumerated() {
            lines.append("    - {name: state-\(index), mountPath: \(QuotedWord.text(path))}")
        }
        lines += ["  volumes:", "  - {name: temporary, emptyDir: {}}"]
        for (index, path) in directories.enumerated() {
            lines.append(
                "  # It changes files in \(QuotedWord.comment(path)); where they have to last, put a claim here.")
            lines.append("  - {name: state-\(index), emptyDir: {}}")
        }
        return lines.map { String(repeating: " ", count: indent) + $0 }
    }

    private var stateDirectories: [String] {
        Set(
            program.state.compactMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }.filter {
                !$0.isEmpty
            }
        ).sorted()
    }
}
