import Engine
import Linux
import Testing

@Suite struct HealthStateTests {
    private func at(_ seconds: Int) -> Timestamp { Timestamp(nanoseconds: seconds * 1_000_000_000) }

    private func schedule(startPeriod: Int = 0) -> HealthSchedule {
        var schedule = HealthSchedule()
        schedule.startPeriod = startPeriod * 1_000_000_000
        return schedule
    }

    @Test func `retries failures in a row make it unhealthy`() {
        var health = HealthState(schedule: schedule())
        #expect(health.handle(.started, now: at(0)) == [.report(.starting), .expect(probe: 1, at: at(30))])
        #expect(health.handle(.timeCame(probe: 1), now: at(30)) == [.run(probe: 1, timeoutNanoseconds: 30_000_000_000)])
        let said = health.handle(.probed(probe: 1, succeeded: true), now: at(31))
        #expect(said == [.report(.healthy), .expect(probe: 2, at: at(61))])
        for probe in 2...4 {
            _ = health.handle(.timeCame(probe: probe), now: at(60))
            let said = health.handle(.probed(probe: probe, succeeded: false), now: at(60))
            let next = HealthState.Action.expect(probe: probe + 1, at: at(90))
            #expect(said == (probe == 4 ? [.report(.unhealthy), next] : [next]))
        }
        #expect(health.failuresInARow == 3)
        _ = health.handle(.timeCame(probe: 5), now: at(60))
        #expect(health.handle(.probed(probe: 5, succeeded: true), now: at(60)).first == .report(.healthy))
        #expect(health.failuresInARow == 0)
    }

    @Test func `failures of the start period do not count`() {
        var health = HealthState(schedule: schedule(startPeriod: 20))
        #expect(health.handle(.started, now: at(100)).last == .expect(probe: 1, at: at(105)))
        for probe in 1...6 {
            _ = health.handle(.timeCame(probe: probe), now: at(119))
            let said = health.handle(.probed(probe: probe, succeeded: false), now: at(119))
            #expect(said == [.expect(probe: probe + 1, at: at(124))])
        }
        #expect(health.status == .starting && health.failuresInARow == 0)
        _ = health.handle(.timeCame(probe: 7), now: at(120))
        #expect(health.handle(.probed(probe: 7, succeeded: false), now: at(120)) == [.expect(probe: 8, at: at(150))])
        #expect(health.failuresInARow == 1)
        // After a success they count, also within the period.
        _ = health.handle(.started, now: at(200))
        _ = health.handle(.timeCame(probe: 9), now: at(201))
        _ = health.handle(.probed(probe: 9, succeeded: true), now: at(201))
        _ = health.handle(.timeCame(probe: 10), now: at(202))
        _ = health.handle(.probed(probe: 10, succeeded: false), now: at(202))
        #expect(health.failuresInARow == 1)
    }

    @Test func `a pause abandons the probe and counts nothing`() {
        var health = HealthState(schedule: schedule())
        _ = health.handle(.started, now: at(0))
        #expect(health.handle(.paused, now: at(1)) == [])
        #expect(health.handle(.timeCame(probe: 1), now: at(30)) == [])
        #expect(health.handle(.resumed, now: at(40)) == [.expect(probe: 2, at: at(70))])
        #expect(health.handle(.resumed, now: at(40)) == [])
        _ = health.handle(.timeCame(probe: 2), now: at(70))
        #expect(health.handle(.paused, now: at(71)) == [.abandon(probe: 2)])
        #expect(health.handle(.probed(probe: 2, succeeded: false), now: at(72)) == [])
        #expect(health.failuresInARow == 0)
        #expect(health.handle(.ended, now: at(73)) == [])
        #expect(health.handle(.paused, now: at(74)) == [])
        #expect(health.handle(.resumed, now: at(75)) == [], "what has ended is not asked")
    }

    /// Every list of five events: what is under way is counted from the actions alone.
    @Test func `one probe at a time, whatever comes`() {
        let kinds = 7
        for list in 0..<(kinds * kinds * kinds * kinds * kinds) {
            var health = HealthState(schedule: schedule())
            var running: Set<Int> = []
            var newest = 0
            var code = list
            _ = health.handle(.started, now: at(0))
            newest = 1
            for _ in 0..<5 {
                let status = health.status
                let event: HealthState.Event =
                    switch code % kinds {
                    case 0: .started
                    case 1: .timeCame(probe: newest)
                    case 2: .probed(probe: newest, succeeded: true)
                    case 3: .probed(probe: newest - 1, succeeded: true)
                    case 4: .timeCame(probe: newest - 1)
                    case 5: .paused
                    default: .resumed
                    }
                code /= kinds
                if case .probed(let probe, _) = event {
                    let counts = running.remove(probe) != nil
                    let actions = health.handle(event, now: at(1))
                    if !counts { #expect(actions.isEmpty && health.status == status) }
                    apply(actions, &running, &newest)
                } else {
                    apply(health.handle(event, now: at(1)), &running, &newest)
                }
                #expect(running.count <= 1)
            }
        }
    }

    private func apply(_ actions: [HealthState.Action], _ running: inout Set<Int>, _ newest: inout Int) {
        for action in actions {
            switch action {
            case .expect(let probe, _):
                #expect(probe > newest && running.isEmpty)
                newest = probe
            case .run(let probe, _): #expect(running.insert(probe).inserted)
            case .abandon(let probe): #expect(running.remove(probe) != nil)
            case .report: break
            }
        }
    }
}
