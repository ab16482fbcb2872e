package import Linux

/// How often and how long a container is asked for its health: Docker's HEALTHCHECK. Nanoseconds.
package struct HealthSchedule: Hashable, Sendable {
    package var interval = 30_000_000_000
    package var timeout = 30_000_000_000
    /// Failures within this time after the start do not count until the first success.
    package var startPeriod = 0
    /// The interval within the start period.
    package var startInterval = 5_000_000_000
    package var retries = 3

    package init() {}
}

package enum HealthStatus: String, Hashable, Sendable {
    case starting, healthy, unhealthy
}

/// The health of one run of a container as a pure state machine: events in, actions out.
///
/// Invariants
/// 1. At most one probe runs or is waited for. (test: `one probe at a time, whatever comes`)
/// 2. What an earlier or abandoned probe says changes nothing. (test: `one probe at a time, whatever comes`)
/// 3. It becomes unhealthy only after `retries` failures in a row that count, healthy with one success.
///    (tests: `retries failures in a row make it unhealthy`, `failures of the start period do not count`)
package struct HealthState: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
        case started
        case timeCame(probe: Int)
        /// Time-outs and programs that cannot be run are failures.
        case probed(probe: Int, succeeded: Bool)
        /// A frozen container cannot answer: that says nothing about its health.
        case paused
        case resumed
        case ended
    }

    package enum Action: Hashable, Sendable {
        /// Send `timeCame` then.
        case expect(probe: Int, at: Timestamp)
        /// Run the check; after this time it is to be killed and has failed.
        case run(probe: Int, timeoutNanoseconds: Int)
        /// Kill the check that runs; its result is not wanted.
        case abandon(probe: Int)
        case report(HealthStatus)
    }

    private enum Phase: Hashable, Sendable {
        /// Not started, or ended.
        case idle
        case paused
        case waiting
        case probing(since: Timestamp)
    }

    package let schedule: HealthSchedule
    package private(set) var status = HealthStatus.starting
    package private(set) var failuresInARow = 0
    private var phase = Phase.idle
    private var probe = 0
    private var startedAt = Timestamp(nanoseconds: 0)

    package init(schedule: HealthSchedule) {
        precondition(schedule.interval > 0 && schedule.timeout > 0)
        precondition(schedule.startInterval > 0 && schedule.retries > 0)
        self.schedule = schedule
    }

    package mutating func handle(_ event: Event, now: Timestamp) -> [Action] {
        switch event {
        case .started:
            let abandoned = stop(in: .idle)
            let last = probe
            self = HealthState(schedule: schedule)
            // Numbers go on: a late answer about the last run must not be taken for one about this.
            probe = last
            startedAt = now
            return abandoned + [.report(.starting), wait(now)]
        case .timeCame(let number):
            guard number == probe, phase == .waiting else { return [] }
            phase = .probing(since: now)
            return [.run(probe: number, timeoutNanoseconds: schedule.timeout)]
        case .probed(let number, let succeeded):
            guard number == probe, case .probing(let since) = phase else { return [] }
            let before = status
            count(succeeded, since)
            return (status == before ? [] : [.report(status)]) + [wait(now)]
        case .paused: return phase == .idle ? [] : stop(in: .paused)
        case .ended: return stop(in: .idle)
        case .resumed: return phase == .paused ? [wait(now)] : []
        }
    }

    private mutating func count(_ succeeded: Bool, _ since: Timestamp) {
        if succeeded {
            failuresInARow = 0
            status = .healthy
        } else if status != .starting || since.nanoseconds - startedAt.nanoseconds >= schedule.startPeriod {
            failuresInARow += 1
            if failuresInARow >= schedule.retries { status = .unhealthy }
        }
    }

    private mutating func wait(_ now: Timestamp) -> Action {
        probe += 1
        phase = .waiting
        let inStartPeriod =
            status == .starting && now.nanoseconds - startedAt.nanoseconds < schedule.startPeriod
        let interval = inStartPeriod ? schedule.startInterval : schedule.interval
        return .expect(probe: probe, at: Timestamp(nanoseconds: now.nanoseconds + interval))
    }

    private mutating func stop(in next: Phase) -> [Action] {
        defer { phase = next }
        if case .probing = phase { return [.abandon(probe: probe)] }
        return []
    }
}
