import Linux
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct WallTimerTests {
    @Test func `a wait by the time of day ends at its moment, or when it is cancelled`() async throws {
        let moment = Timestamp(nanoseconds: Clock.now().nanoseconds + 30_000_000)
        try await WallTimer.wait(until: moment)
        #expect(Clock.now() >= moment)
        try await WallTimer.wait(until: Timestamp(nanoseconds: 0))
        try await WallTimer.wait(until: Timestamp(nanoseconds: .min))
        for moment in [nil, Timestamp(nanoseconds: .max)] {
            let waiting = Task { try await WallTimer.wait(until: moment) }
            try await Task.sleep(for: .milliseconds(20))
            waiting.cancel()
            await #expect(throws: SystemError.self) { try await waiting.value }
        }
    }

    @Test func `a clock that was set is told from one that drifts`() {
        var jump = ClockJump()
        func look(_ wall: Int, _ monotonic: Int) -> Int {
            jump.look(wall: Timestamp(nanoseconds: wall * 1_000_000_000), monotonic: monotonic * 1_000_000_000)
        }
        #expect(look(1000, 10) == 0)
        #expect(look(1005, 15) == 0)
        #expect(look(4605, 15) == 3_600_000_000_000)
        #expect(look(4606, 16) == 0)
        #expect(look(1006, 16) == -3_600_000_000_000)
        #expect(jump.look(wall: Timestamp(nanoseconds: 1_006_500_000_000), monotonic: 16_000_000_000) == 0)
        #expect(jump.look(wall: Timestamp(nanoseconds: .min), monotonic: .max) == 0)
    }
}
