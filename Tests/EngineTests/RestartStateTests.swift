import Engine
import Linux
import Testing

@Suite struct RestartStateTests {
    private let now = Timestamp(nanoseconds: 5_000)

    private func after(_ nanoseconds: Int) -> Timestamp { Timestamp(nanoseconds: now.nanoseconds + nanoseconds) }

    /// Ends and starts again; the delay, or nil if it stays ended.
    private func delay(_ state: inout RestartState, ran: Int = 0, failed: Bool = true) -> Int? {
        guard case .wait(let time)? = state.handle(.ended(ranNanoseconds: ran, failed: failed), now: now) else {
            return nil
        }
        #expect(state.handle(.waitOver(at: time), now: time) == .start)
        return time.nanoseconds - now.nanoseconds
    }

    @Test func `delays double up to a minute and begin anew after a steady run`() {
        var state = RestartState(policy: .always)
        let delays = (0..<12).compactMap { _ in delay(&state) }
        let milliseconds = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]
        #expect(delays.map { $0 / 1_000_000 } == milliseconds)
        #expect(delay(&state, ran: RestartState.steadyRun - 1) == RestartState.longestDelay)
        #expect(delay(&state, ran: RestartState.steadyRun) == RestartState.shortestDelay)
        #expect(state.restarts == 14)
    }

    @Test func `a limit of retries is kept`() {
        var state = RestartState(policy: .onFailure(retries: 2))
        #expect((0..<4).map { _ in delay(&state) } == [100_000_000, 200_000_000, nil, nil])
        #expect(state.handle(.nodeStarted(failed: true), now: now) == nil)
        #expect(state.handle(.startedByUser, now: now) == nil)
        #expect(delay(&state) == 100_000_000)
    }

    static let policies: [(RestartPolicy, afterSuccess: Bool, afterFailure: Bool, nodeAfterStop: Bool)] = [
        (.no, false, false, false), (.onFailure(retries: nil), false, true, false), (.always, true, true, true),
        (.unlessStopped, true, true, false),
    ]

    @Test(arguments: policies) func `each policy restarts when Docker's does`(
        policy: RestartPolicy, afterSuccess: Bool, afterFailure: Bool, nodeAfterStop: Bool
    ) {
        for (failed, expected) in [(false, afterSuccess), (true, afterFailure)] {
            var state = RestartState(policy: policy)
            #expect((delay(&state, failed: failed) != nil) == expected)
            state = RestartState(policy: policy)
            #expect((state.handle(.nodeStarted(failed: failed), now: now) == .start) == expected)
        }
        var stopped = RestartState(policy: policy, isStopped: true)
        #expect((stopped.handle(.nodeStarted(failed: true), now: now) == .start) == nodeAfterStop)
    }

    @Test func `whatever follows a stop, nothing starts`() {
        for policy in Self.policies.map(\.0) {
            var state = RestartState(policy: policy)
            let waited = state.handle(.ended(ranNanoseconds: 0, failed: true), now: now) != nil
            #expect((state.handle(.stopRequested, now: now) == .cancelWait) == waited)
            for event: RestartState.Event in [
                .waitOver(at: after(RestartState.shortestDelay)), .ended(ranNanoseconds: 0, failed: true),
                .policyChanged(.always), .ended(ranNanoseconds: 0, failed: true), .stopRequested,
            ] {
                #expect(state.handle(event, now: now) == nil)
            }
        }
    }

    @Test func `a timer of an earlier wait does nothing`() {
        var state = RestartState(policy: .always)
        _ = state.handle(.ended(ranNanoseconds: 0, failed: true), now: now)
        #expect(state.handle(.startedByUser, now: now) == .cancelWait)
        #expect(state.handle(.waitOver(at: after(RestartState.shortestDelay)), now: now) == nil)
        _ = state.handle(.ended(ranNanoseconds: 0, failed: true), now: now)
        #expect(state.handle(.waitOver(at: after(1)), now: now) == nil)
        #expect(state.handle(.policyChanged(.no), now: now) == .cancelWait)
        #expect(state.waitsUntil == nil)
    }

    @Test func `policies are read and written in Docker's words`() {
        for text in ["no", "always", "unless-stopped", "on-failure", "on-failure:3"] {
            #expect(RestartPolicy(text)?.description == text)
        }
        #expect(RestartPolicy("on-failure:0") == .onFailure(retries: nil))
        let long = "on-failure:99999999999999999999"
        for text in ["", "No", "always:3", "on-failure:", "on-failure:-1", "on-failure:+1", long] {
            #expect(RestartPolicy(text) == nil)
        }
    }
}
