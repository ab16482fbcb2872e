/// A container that runs, and what it used.
package struct MeasuredContainer: Sendable {
    package var id: String
    package var name: String
    /// nil: there is no limit.
    package var memoryLimit: Int?
    package var milliCPUs: Int?
    /// Since its start: the kernel's own highest.
    package var peakBytes: Int?
    /// CPU time since its start over that time.
    package var meanCPUs: Double?
    /// Rates over a second each, looked at now; empty: nobody looked.
    package var rates: [Double]
    package var seconds: Double

    package init(
        id: String, name: String, memoryLimit: Int?, milliCPUs: Int?, peakBytes: Int?, meanCPUs: Double?, rates: [Double] = [],
        seconds: Double
    ) {
        self.id = id
        self.name = name
        self.memoryLimit = memoryLimit
        self.milliCPUs = milliCPUs
        self.peakBytes = peakBytes
        self.meanCPUs = meanCPUs
        self.rates = rates
        self.seconds = seconds
    }
}

/// One container of a deployment's template, and the containers that run of it.
package struct MeasuredDeployment: Sendable {
    package var namespace: String
    package var name: String
    package var container: String
    /// Bytes and thousandths of a processor; nil: not set.
    package var memoryLimit: Int?
    package var milliCPUs: Int?
    package var replicas: [MeasuredContainer]

    package init(namespace: String, name: String, container: String, memoryLimit: Int?, milliCPUs: Int?, replicas: [MeasuredContainer]) {
        self.namespace = namespace
        self.name = name
        self.container = container
        self.memoryLimit = memoryLimit
        self.milliCPUs = milliCPUs
        self.replicas = replicas
    }
}

/// Advice about limits of containers, alone or as replicas of a deployment.
///
/// Of memory the kernel keeps the peak since the start, so that one look says all of that time. It does not keep one of the CPU: what is
/// said about it is what was seen while somebody looked.
///
/// Invariants (tests in ContainerSizingTests)
/// 1. A container that has not run long enough gets no advice. (`a container that has just started gets no advice`)
/// 2. A limit is never advised below the peak and its headroom. (`a limit holds the peak`)
/// 3. Without looks nothing is said about CPU limits. (`a CPU limit needs looks`)
package enum ContainerSizing {
    /// Below this a limit keeps small programs from starting.
    static let leastBytes = 16 << 20
    static let leastCPUs = 50
    /// A limit within this much of what is needed is left as it is.
    static let tolerance = 0.2

    package static func advice(_ container: MeasuredContainer, _ ground: SizingGround) -> Advice {
        advice(.container, container.name, rung: "container", [container], container.memoryLimit, container.milliCPUs, ground) { memory, cpu in
            .container(id: container.id, memoryBytes: memory, milliCPUs: cpu)
        }
    }

    package static func advice(_ deployment: MeasuredDeployment, _ ground: SizingGround) -> Advice {
        advice(
            .deployment, "\(deployment.namespace)/\(deployment.name)/\(deployment.container)", rung: "service", deployment.replicas,
            deployment.memoryLimit, deployment.milliCPUs, ground
        ) { memory, cpu in
            .deployment(
                namespace: deployment.namespace, name: deployment.name, container: deployment.container,
                memory: memory.map { "\($0 >> 20)Mi" }, cpu: cpu.map { "\($0)m" })
        }
    }

    private static func advice(
        _ kind: Advice.Kind, _ name: String, rung: String, _ replicas: [MeasuredContainer], _ memoryLimit: Int?, _ milliCPUs: Int?,
        _ ground: SizingGround, _ action: (_ memory: Int?, _ cpu: Int?) -> SizingAction
    ) -> Advice {
        let seconds = replicas.map(\.seconds).max() ?? 0
        let looks = replicas.reduce(0) { $0 + $1.rates.count }
        var advice = Advice(kind, name, rung: rung, seen: Advice.Seen(samples: max(looks, replicas.count), unit: "looks", seconds: seconds))
        guard seconds >= ground.rules.minimumSeconds, !replicas.isEmpty else {
            advice.remarks.append(
                replicas.isEmpty
                    ? "it does not run"
                    : "too short: it has run for \(SizeText.seconds(seconds)) of the \(SizeText.seconds(ground.rules.minimumSeconds)) that advice needs")
            return advice
        }
        memory(replicas, memoryLimit, ground, &advice) { action($0, nil) }
        cpu(replicas, milliCPUs, ground, &advice) { action(nil, $0) }
        return advice
    }

    private static func memory(
        _ replicas: [MeasuredContainer], _ limit: Int?, _ ground: SizingGround, _ advice: inout Advice,
        _ action: (Int) -> SizingAction
    ) {
        let peaks = replicas.compactMap(\.peakBytes)
        guard let peak = peaks.max() else { return advice.remarks.append("memory: this machine does not count peaks") }
        let mebibytes = (peak / 100 * (100 + ground.rules.headroomPercent) + (1 << 20) - 1) >> 20
        let wanted = max(leastBytes, (mebibytes + 7) / 8 * 8 << 20)
        guard let limit else {
            return advice.remarks.append(
                "memory: it has no limit; its peak is \(SizeText.bytes(peak)), a limit of \(SizeText.bytes(wanted)) would hold it")
        }
        guard Double(abs(limit - wanted)) > Double(limit) * tolerance else {
            return advice.remarks.append("memory: \(SizeText.bytes(limit)) is right: the peak is \(SizeText.bytes(peak))")
        }
        let price = Double(limit - wanted) / Double(1 << 30) * ground.keptPrice * Double(replicas.count)
        advice.changes.append(
            Change(
                quantity: .memory, before: SizeText.bytes(limit), after: SizeText.bytes(wanted), saving: price,
                risk: Risk("copies whose peak would have exceeded it", peaks.count { $0 > wanted }, of: peaks.count),
                reason: "the peak is \(SizeText.bytes(peak)), \(SizeText.percent(Double(peak) / Double(wanted))) of the new limit",
                action: action(wanted)))
    }

    private static func cpu(
        _ replicas: [MeasuredContainer], _ limit: Int?, _ ground: SizingGround, _ advice: inout Advice,
        _ action: (Int) -> SizingAction
    ) {
        let rates = replicas.flatMap(\.rates)
        let mean = replicas.compactMap(\.meanCPUs).max() ?? 0
        guard let highest = rates.max() else {
            return advice.remarks.append(
                "CPU: \(SizeText.number(mean)) processors on average; peaks are seen with --watch")
        }
        let wanted = max(leastCPUs, Int((max(highest, mean) * 1500 / 50).rounded(.up)) * 50)
        guard let limit else {
            return advice.remarks.append(
                "CPU: it has no limit; the highest of \(rates.count) looks was \(SizeText.number(highest)) processors")
        }
        guard Double(abs(limit - wanted)) > Double(limit) * tolerance else {
            return advice.remarks.append(
                "CPU: \(SizeText.number(Double(limit) / 1000)) is right: the highest of \(rates.count) looks was \(SizeText.number(highest))")
        }
        advice.changes.append(
            Change(
                quantity: .cpu, before: SizeText.number(Double(limit) / 1000), after: SizeText.number(Double(wanted) / 1000), saving: nil,
                risk: Risk("looks that would have exceeded it", rates.count { $0 * 1000 > Double(wanted) }, of: rates.count),
                reason: "the highest of \(rates.count) looks was \(SizeText.number(highest)) processors, the average \(SizeText.number(mean))",
                action: action(wanted)))
    }
}
