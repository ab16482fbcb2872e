import Linux
import Metrics
import Testing

@testable import Metering

@Suite struct CallCountersTests {
    private func call(
        _ function: String, source: String = "invoke", version: String = "1", _ outcome: MeteredCall.Outcome = .success,
        start: MeteredCall.Start = .warm, arn: String = "arn"
    ) -> MeteredCall {
        var call = MeteredCall(
            requestID: "r", function: function, version: version, invokedARN: arn, source: source, arrivedAt: Timestamp(nanoseconds: 0))
        call.outcome = outcome
        call.start = start
        call.durationMicroseconds = 1500
        call.queueMicroseconds = 90
        call.cpuMicroseconds = 1000
        if start == .cold { call.initMicroseconds = 200_000 }
        return call
    }

    private func number(_ families: [MetricFamily], _ name: String, _ labels: [String: String]) -> Double? {
        for sample in families.first(where: { $0.name == name })?.samples ?? []
        where labels.allSatisfy({ label in sample.labels.contains { $0.name == label.key && $0.value == label.value } }) {
            switch sample.value {
            case .number(let number): return number
            case .histogram(let histogram): return Double(histogram.count)
            }
        }
        return nil
    }

    @Test func `calls are counted by who called whom and how they ended`() async {
        let counters = CallCounters()
        for _ in 0..<3 { counters.count(call("f")) }
        counters.count(call("f", start: .cold))
        counters.count(call("f", .functionError("E")))
        counters.count(call("f", .refused("TooMany")))
        counters.count(call("f", source: "ingress", .replayed))
        let families = await counters.metrics()
        #expect(number(families, "forkless_calls_total", ["workload": "f", "door": "lambda", "outcome": "success"]) == 4)
        #expect(number(families, "forkless_calls_total", ["workload": "f", "outcome": "function_error"]) == 1)
        #expect(number(families, "forkless_calls_total", ["workload": "f", "outcome": "refused"]) == 1)
        #expect(number(families, "forkless_calls_total", ["door": "kubernetes", "outcome": "replayed"]) == 1)
        // What was not run has no duration.
        #expect(number(families, "forkless_call_duration_seconds", ["source": "invoke"]) == 5)
        #expect(number(families, "forkless_call_duration_seconds", ["source": "ingress"]) == nil)
        #expect(number(families, "forkless_cold_start_seconds", ["workload": "f"]) == 1)
        #expect(number(families, "forkless_call_starts_total", ["start": "warm"]) == 4)
        #expect(number(families, "forkless_call_cpu_seconds_total", ["source": "invoke"]) == 0.005)
    }

    @Test func `a shift's calls name its program and the rung that answered`() async {
        let counters = CallCounters()
        for (version, source) in [("original", "exec"), ("standby", "exec"), ("container", "shadow")] {
            counters.count(call("shift:abc", source: source, version: version, arn: "/opt/pricer"))
        }
        let families = await counters.metrics()
        for (rung, source) in [("process", "exec"), ("container", "exec"), ("container", "shadow")] {
            #expect(
                number(
                    families, "forkless_calls_total",
                    ["workload": "/opt/pricer", "rung": rung, "source": source, "shift": "abc", "door": "exec"]) == 1)
        }
    }

    @Test func `calls beyond the bound are counted together`() async {
        let counters = CallCounters(limit: 10)
        for number in 0..<50 { counters.count(call("f\(number)")) }
        counters.count(call("f0"))
        let families = await counters.metrics()
        let calls = families.first { $0.name == "forkless_calls_total" }!.samples
        #expect(calls.count == 11)
        #expect(number(families, "forkless_calls_total", ["workload": CallCounters.others]) == 40)
        #expect(number(families, "forkless_calls_total", ["workload": "f0"]) == 2)
    }
}
