import Linux

extension PodMachine {
    /// The wall clock was set by so many nanoseconds: what waits for a moment waits as long as it would have. Facts (when
    /// something began or ended) and `activeDeadlineSeconds`, which Kubernetes counts by the wall clock, stay.
    package mutating func clockMoved(by nanoseconds: Int) {
        deadline = deadline?.moved(by: nanoseconds)
        if case .failed(let until) = preparation { preparation = .failed(until: until.moved(by: nanoseconds)) }
        for index in containers.indices { containers[index].clockMoved(by: nanoseconds) }
    }
}

extension ContainerLife {
    mutating func clockMoved(by nanoseconds: Int) {
        notBefore = notBefore?.moved(by: nanoseconds)
        pullNotedAt = pullNotedAt?.moved(by: nanoseconds)
        crashes.clockMoved(by: nanoseconds)
        pulls.clockMoved(by: nanoseconds)
        for kind in probes.keys { probes[kind]!.clockMoved(by: nanoseconds) }
        guard case .stopping(let run, var stopping) = stage else { return }
        stopping.killAt = stopping.killAt.moved(by: nanoseconds)
        stage = .stopping(run, stopping)
    }
}

extension Timestamp {
    /// The ends of what it can hold stay its bounds.
    func moved(by span: Int) -> Timestamp {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(span)
        return Timestamp(nanoseconds: overflow ? (span < 0 ? .min : .max) : sum)
    }
}
