import RightSizing
import Testing

@Suite struct ContainerSizingTests {
    private func container(
        limit: Int? = 1 << 30, cpus: Int? = 2000, peak: Int? = 100 << 20, rates: [Double] = [], seconds: Double = 7200
    ) -> MeasuredContainer {
        MeasuredContainer(
            id: "c1", name: "web", memoryLimit: limit, milliCPUs: cpus, peakBytes: peak, meanCPUs: 0.05, rates: rates, seconds: seconds)
    }

    private func advice(_ container: MeasuredContainer) -> Advice { ContainerSizing.advice(container, Recorded.ground) }

    @Test func `a container that has just started gets no advice`() {
        let advice = advice(container(seconds: 720))
        #expect(advice.changes.isEmpty && advice.remarks == ["too short: it has run for 12 min 0 s of the 1 h 0 min that advice needs"])
    }

    @Test func `a limit holds the peak`() throws {
        let change = try #require(advice(container()).change(.memory))
        #expect(change.before == "1,024 MiB" || change.before == "1.0 GiB")
        #expect(change.after == "128 MiB" && change.action == .container(id: "c1", memoryBytes: 128 << 20, milliCPUs: nil))
        #expect(change.risk.count == 0 && change.risk.of == 1 && (change.saving ?? 0) > 0)
        let tight = try #require(advice(container(limit: 104 << 20)).change(.memory))
        #expect(tight.after == "128 MiB" && (tight.saving ?? 0) < 0)
        #expect(advice(container(limit: 128 << 20)).remark("memory: 128 MiB is right") != nil)
        #expect(advice(container(peak: 1 << 20)).change(.memory)?.after == "16 MiB")
        #expect(advice(container(limit: nil)).remark("memory: it has no limit") != nil)
        #expect(advice(container(peak: nil)).remark("memory: this machine does not count") != nil)
    }

    @Test func `a CPU limit needs looks`() throws {
        #expect(advice(container()).change(.cpu) == nil && advice(container()).remark("CPU: 0.05 processors on average") != nil)
        let change = try #require(advice(container(rates: [0.1, 0.3, 0.2])).change(.cpu))
        #expect(change.before == "2.00" && change.after == "0.45" && change.risk.of == 3)
        #expect(change.action == .container(id: "c1", memoryBytes: nil, milliCPUs: 450))
    }

    @Test func `a deployment is as large as its largest replica`() throws {
        var large = container(peak: 300 << 20)
        large.seconds = 60
        let deployment = MeasuredDeployment(
            namespace: "shop", name: "web", container: "app", memoryLimit: 1 << 30, milliCPUs: nil, replicas: [container(), large])
        let advice = ContainerSizing.advice(deployment, Recorded.ground)
        #expect(advice.workload == "shop/web/app" && advice.rung == "service")
        #expect(
            advice.change(.memory)?.action
                == .deployment(namespace: "shop", name: "web", container: "app", memory: "376Mi", cpu: nil))
        #expect(advice.change(.memory)?.risk.of == 2)
        let stopped = MeasuredDeployment(namespace: "shop", name: "web", container: "app", memoryLimit: 1, milliCPUs: nil, replicas: [])
        #expect(ContainerSizing.advice(stopped, Recorded.ground).remarks == ["it does not run"])
    }
}

@Suite struct ShiftSizingTests {
    private func shift(_ mode: String, _ change: (inout MeasuredShift) -> Void = { _ in }) -> MeasuredShift {
        var shift = MeasuredShift(
            id: "awk", program: "/usr/bin/awk", target: "standby", mode: mode, percent: mode == "canary" ? 10 : 0, compared: 500,
            original: .init(runs: 500, failures: 5, p95Seconds: 0.010), candidate: .init(runs: 500, failures: 5, p95Seconds: 0.004),
            seconds: 3600)
        change(&shift)
        return shift
    }

    private func advice(_ shift: MeasuredShift) -> Advice { ShiftSizing.advice(shift, SizingRules()) }

    @Test func `a shift goes up one stage at a time`() throws {
        let actions = ["measure", "shadow", "canary"].map { advice(shift($0)).change(.rung)?.action }
        #expect(
            actions == [
                .shift(id: "awk", mode: "shadow", percent: nil), .shift(id: "awk", mode: "canary", percent: 10),
                .shift(id: "awk", mode: "full", percent: nil),
            ])
        #expect(advice(shift("shadow")).change(.rung)?.risk == Risk("comparisons that found a difference", 0, of: 500))
        #expect(advice(shift("full")).remarks == ["rung: standby is right: all calls are answered there"])
    }

    @Test func `what differs, fails or is slow goes no further`() {
        for (mode, change) in [
            ("shadow", { $0.differing = 1 }), ("canary", { $0.differing = 1 }), ("canary", { $0.candidate.failures = 6 }),
            ("canary", { $0.candidate.p95Seconds = 0.012 }),
        ] as [(String, (inout MeasuredShift) -> Void)] {
            let advice = advice(shift(mode, change))
            #expect(advice.changes.isEmpty && advice.remark("rung: it stays in \(mode)") != nil, "\(advice.remarks)")
        }
    }

    @Test func `a shift that somebody else leads is left alone`() {
        #expect(advice(shift("shadow") { $0.isActive = false }).changes.isEmpty)
        #expect(advice(shift("shadow") { $0.isPromoted = true }).changes.isEmpty)
        #expect(advice(shift("measure") { $0.target = nil }).remark("it is only measured") != nil)
    }

    @Test func `too few comparisons are an answer`() {
        #expect(advice(shift("shadow") { $0.compared = 99 }).remarks == ["too few comparisons: 99 of the 100 that the next stage needs"])
    }
}
