import HTTPServing
import JSON
import Lambda
import Metering
import Synchronization
import TestKit
import Testing

@testable import Functions

@Suite struct FunctionPlaneTests {
    @Test func `a burst from nothing is served without an error`() async {
        let bench = PlaneBench()
        await bench.script {
            $0.start = { _ in .ready(after: .milliseconds(1)) }
            $0.callTime = { _ in .milliseconds(2) }
        }
        let function = PlaneBench.function(memoryMB: 32)
        let outcomes = await bench.invokeAll((0..<500).map { PlaneBench.call(function, "\($0)") })
        #expect(outcomes.map(\.text) == (0..<500).map { "\($0)" })
        let (starts, count) = await bench.look { ($0.peakStarts, $0.instances.count) }
        #expect(starts <= 4)
        #expect(count > 4 && count <= 128)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `memory is never overcommitted`() async {
        let bench = PlaneBench(memoryMB: 1000)
        await bench.script { $0.callTime = { _ in .milliseconds(1) } }
        let functions = [(1, 100), (2, 300), (3, 700), (4, 128)].map { PlaneBench.function("f\($0)", memoryMB: $1) }
        let calls = (0..<200).map { PlaneBench.call(functions[$0 % 4], "\($0)") }
        let outcomes = await bench.invokeAll(calls)
        #expect(outcomes.map(\.text) == (0..<200).map { "\($0)" })
        let peak = await bench.look { $0.peakMB }
        #expect(peak <= 1000)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `idle instances of others make room`() async {
        let bench = PlaneBench(memoryMB: 300)
        for name in ["a", "b", "c", "d", "a"] {
            let outcome = await bench.invoke(PlaneBench.call(PlaneBench.function(name, memoryMB: 100), name))
            #expect(outcome.text == name)
        }
        let stopped = await bench.look { $0.instances.filter { $0.stopReason != nil }.map(\.name) }
        #expect(stopped == ["a-1", "b-2"], "the one used longest ago first")
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `one function's burst does not starve another`() async {
        let bench = PlaneBench(memoryMB: 400) { $0.patience = .milliseconds(10) }
        await bench.script { $0.callTime = { _ in .milliseconds(5) } }
        let (busy, other) = (PlaneBench.function("busy", memoryMB: 100), PlaneBench.function("other", memoryMB: 100))
        let calls = (0..<200).map { PlaneBench.call(busy, "busy \($0)") } + [PlaneBench.call(other, "other")]
        let outcomes = await bench.invokeAll(calls)
        #expect(outcomes.allSatisfy { $0.text != nil })
        let place = await bench.look { $0.served.firstIndex(of: "other") }
        #expect(place.map { $0 < 100 } == true)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `two functions that do not fit beside each other take turns`() async {
        let bench = PlaneBench(memoryMB: 100) { $0.patience = .milliseconds(5) }
        await bench.script { $0.callTime = { _ in .milliseconds(1) } }
        let functions = ["a", "b"].map { PlaneBench.function($0, memoryMB: 80) }
        let outcomes = await bench.invokeAll((0..<40).map { PlaneBench.call(functions[$0 % 2], "\($0)") })
        #expect(outcomes.allSatisfy { $0.text != nil })
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a function that is larger than all memory for functions is refused at once`() async {
        let bench = PlaneBench(memoryMB: 100)
        let outcome = await bench.invoke(PlaneBench.call(PlaneBench.function(memoryMB: 128)))
        #expect(outcome.failure?.name == "InvalidParameterValueException")
        #expect(outcome.failure?.message.contains("128 MB is more than the 100 MB") == true)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `calls beyond a reserve are refused, and others are not`() async throws {
        let bench = PlaneBench()
        await bench.script { $0.callTime = { _ in .milliseconds(20) } }
        let function = PlaneBench.function()
        try await bench.invoker.setReserved("f", 2)
        let outcomes = await bench.invokeAll(
            (0..<4).map { PlaneBench.call(function, "\($0)") } + [PlaneBench.call(PlaneBench.function("g"), "g")])
        #expect(
            outcomes.map { $0.failure?.name } == [
                nil, nil, "TooManyRequestsException", "TooManyRequestsException", nil,
            ])
        #expect(outcomes[2].failure?.reason == "ReservedFunctionConcurrentInvocationLimitExceeded")
        #expect(await bench.invoke(PlaneBench.call(function, "later")).text == "later")
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `calls that wait too long are refused and may be repeated`() async throws {
        let bench = PlaneBench(memoryMB: 128) {
            $0.pool.waitingCallsLimit = 2
            $0.pool.waitingTimeLimit = .seconds(1)
        }
        let function = PlaneBench.function()
        _ = await bench.invoke(PlaneBench.call(function))
        await bench.script { $0.callTime = { _ in .seconds(3600) } }
        async let all = bench.invokeAll((0..<4).map { PlaneBench.call(function, "\($0)") })
        try await eventually { await bench.invoker.status().pools.first?.counts.refusedCalls == 3 }
        await bench.script { $0.finishCalls() }
        let outcomes = await all
        #expect(outcomes[0].text == "0")
        for outcome in outcomes[1...] {
            #expect(outcome.failure?.name == "TooManyRequestsException" && outcome.failure?.retryAfter == 1)
            #expect(outcome.failure?.reason == "ConcurrentInvocationLimitExceeded")
        }
        #expect(outcomes[1].failure?.message.contains("no instance of f was free within 1 s") == true)
        #expect(outcomes[3].failure?.message.contains("2 calls of f wait") == true)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a failed start is answered as an error of the function`() async {
        let bench = PlaneBench()
        await bench.script {
            $0.start = { number in
                number == 1
                    ? .fails(InstanceStartFailure(errorType: "Runtime.ExitError", errorMessage: "exit status 1"))
                    : .ready(after: .zero)
            }
        }
        let function = PlaneBench.function()
        let first = await bench.invoke(PlaneBench.call(function)).answer
        #expect(first?.functionError == "Unhandled")
        #expect(
            first.map { String(decoding: $0.payload, as: UTF8.self) }
                == #"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r Error: exit status 1"}"#)
        #expect(first?.call.outcome == .functionError("Runtime.ExitError"))
        #expect(await bench.invoke(PlaneBench.call(function, "2")).text == "2")
        await bench.script { $0.start = { _ in .dies } }
        let dead = await bench.invoke(PlaneBench.call(PlaneBench.function(revision: "2"))).answer
        #expect(dead?.call.outcome == .functionError("Runtime.ExitError"))
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a call that an ending instance does not take goes to another`() async throws {
        let bench = PlaneBench()
        let function = PlaneBench.function()
        #expect(await bench.invoke(PlaneBench.call(function, "1")).text == "1")
        await bench.script { $0.instances[0].isEnding = true }
        #expect(await bench.invoke(PlaneBench.call(function, "2")).text == "2")
        #expect(await bench.look { $0.served } == ["1", "2"])
        #expect(await bench.look { $0.instances.count } == 2)
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a retired revision serves what it has accepted and is forgotten`() async throws {
        let bench = PlaneBench()
        await bench.script { $0.callTime = { _ in .milliseconds(20) } }
        let (old, new) = (PlaneBench.function(revision: "1"), PlaneBench.function(revision: "2"))
        async let slow = bench.invokeAll((0..<8).map { PlaneBench.call(old, "\($0)") })
        try await eventually { await bench.invoker.status().pools.first?.counts.calls == 8 }
        bench.invoker.retire(old)
        #expect(await bench.invoke(PlaneBench.call(new, "new")).text == "new")
        #expect(await slow.allSatisfy { $0.text != nil })
        try await eventually { await bench.invoker.status().pools.map(\.revision) == ["2"] }
        #expect(await bench.look { $0.forgotten.map(\.revision) } == ["1"])
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `provisioned instances are there before the first call, and are observed`() async throws {
        let bench = PlaneBench()
        let function = PlaneBench.function()
        bench.invoker.setProvisioned(function, 3)
        try await eventually { await bench.invoker.provisioning(of: function).state == .ready }
        #expect(await bench.invoker.provisioning(of: function).available == 3)
        #expect(await bench.look { $0.instances.map(\.isProvisioned) } == [true, true, true])
        await bench.script { $0.instances[0].end("was killed by signal 9") }
        try await eventually { await bench.look { $0.instances.count } == 4 }
        try await eventually { await bench.invoker.provisioning(of: function).state == .ready }
        bench.invoker.setProvisioned(function, 0)
        try await eventually { await bench.look { $0.alive.isEmpty } }
        try await eventually("the pool is forgotten") { await bench.invoker.status().pools.isEmpty }
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `provisioned capacity is told in spans that meet and leave nothing out`() async throws {
        let bench = PlaneBench { $0.capacitySpan = .milliseconds(15) }
        let told = Mutex<[ProvisionedCapacity]>([])
        _ = await bench.invoker.withPlane { plane in
            plane.onCapacity = { span in told.withLock { $0.append(span) } }
        }
        bench.invoker.setProvisioned(PlaneBench.function(), 2)
        try await eventually { told.withLock { $0.filter { $0.instances == 2 }.count } > 2 }
        let isClean = await bench.close()
        #expect(isClean)
        let spans = told.withLock { $0 }
        for (span, next) in zip(spans, spans.dropFirst()) { #expect(span.to == next.from) }
        #expect(spans.allSatisfy { $0.function == "f" && $0.memoryMB == 128 && [1, 2].contains($0.instances) })
    }

    @Test func `a promise without memory has failed until there is some`() async throws {
        let bench = PlaneBench(memoryMB: 500)
        let (first, second) = (PlaneBench.function(memoryMB: 100), PlaneBench.function("g", memoryMB: 100))
        bench.invoker.setProvisioned(first, 5)
        try await eventually { await bench.invoker.provisioning(of: first).available == 4 }
        let provisioning = await bench.invoker.provisioning(of: first)
        #expect(provisioning.state == .failed && provisioning.requested == 5 && provisioning.allocated == 4)
        #expect(provisioning.reason?.contains("provisioned ones may have 400 MB") == true)
        // The rest is for everybody.
        #expect(await bench.invoke(PlaneBench.call(second, "g")).text == "g")
        bench.invoker.setProvisioned(second, 1)
        try await eventually { await bench.invoker.provisioning(of: second).state == .failed }
        // What one promises less is there for the other.
        bench.invoker.setProvisioned(first, 3)
        try await eventually { await bench.invoker.provisioning(of: second).state == .ready }
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `a promise waits for memory that calls have, and fails meanwhile`() async throws {
        let bench = PlaneBench(memoryMB: 300) { $0.promisePatience = .milliseconds(5) }
        await bench.script { $0.callTime = { _ in .seconds(3600) } }
        let busy = PlaneBench.function("busy", memoryMB: 100)
        async let outcomes = bench.invokeAll((0..<3).map { PlaneBench.call(busy, "\($0)") })
        try await eventually { await bench.look { $0.underWay.count } == 3 }
        let function = PlaneBench.function(memoryMB: 200)
        bench.invoker.setProvisioned(function, 1)
        try await eventually { await bench.invoker.provisioning(of: function).state == .failed }
        await bench.script { $0.finishCalls() }
        #expect(await outcomes.allSatisfy { $0.text != nil })
        try await eventually { await bench.invoker.provisioning(of: function).state == .ready }
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `memory of what does not end is not waited for`() async throws {
        let bench = PlaneBench(memoryMB: 400) {
            $0.endPatience = .milliseconds(50)
            $0.forgetAfter = .seconds(60)
        }
        // Of four idle instances one is told to stop and hangs.
        await bench.script { $0.callTime = { _ in .milliseconds(20) } }
        let (stuck, idle) = (PlaneBench.function("stuck", memoryMB: 100), PlaneBench.function("idle", memoryMB: 100))
        _ = await bench.invoke(PlaneBench.call(stuck))
        await bench.script { $0.stopsAtOnce = false }
        bench.invoker.retire(stuck)
        try await eventually { await bench.look { $0.instances[0].stopReason != nil } }
        await bench.script { $0.stopsAtOnce = true }
        _ = await bench.invokeAll((0..<3).map { PlaneBench.call(idle, "\($0)") })
        #expect(await bench.look { $0.alive.count } == 4)
        let promised = PlaneBench.function("promised", memoryMB: 100)
        bench.invoker.setProvisioned(promised, 1)
        try await eventually { await bench.invoker.provisioning(of: promised).state == .ready }
        #expect(await bench.look { $0.alive.map(\.function.name).filter { $0 == "stuck" } } == ["stuck"])
        await bench.script { $0.instances[0].end("was killed by signal 9") }
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `closing does not wait for what does not end`() async throws {
        let bench = PlaneBench { $0.endPatience = .milliseconds(20) }
        _ = await bench.invoke(PlaneBench.call(PlaneBench.function()))
        await bench.script { $0.stopsAtOnce = false }
        await bench.invoker.close(grace: .milliseconds(20))
        #expect(await bench.look { $0.alive.count } == 1)
        await bench.script { $0.instances[0].end("was killed by signal 9") }
        await bench.loops.shutDown()
    }

    @Test func `closing refuses who waits, lets who runs go on, and stops everything`() async throws {
        let bench = PlaneBench(memoryMB: 128)
        await bench.script { $0.callTime = { _ in .seconds(3600) } }
        let function = PlaneBench.function()
        async let outcomes = bench.invokeAll((0..<3).map { PlaneBench.call(function, "\($0)") })
        try await eventually { await bench.look { $0.underWay.count } == 1 }
        async let closing: Void = bench.invoker.close(grace: .seconds(60))
        try await eventually { await bench.invoker.status().pools.first?.counts.waiting == 0 }
        await bench.script { $0.finishCalls() }
        await closing
        #expect(await outcomes.map { $0.failure?.name } == [nil, "ServiceException", "ServiceException"])
        #expect(await bench.invoke(PlaneBench.call(function)).failure?.name == "ServiceException")
        let isClean = await bench.close()
        #expect(isClean)
    }

    @Test func `closing ends what does not end by itself`() async throws {
        let bench = PlaneBench()
        await bench.script { $0.callTime = { _ in .seconds(30) } }
        bench.invoker.invoke(PlaneBench.call(PlaneBench.function())) { _ in }
        try await eventually { await bench.look { $0.underWay.count } == 1 }
        await bench.invoker.close(grace: .milliseconds(20))
        #expect(await bench.look { $0.alive.isEmpty })
        await bench.loops.shutDown()
    }

    @Test func `the status says what there is`() async throws {
        let bench = PlaneBench()
        try await bench.invoker.setReserved("f", 10)
        _ = await bench.invoke(PlaneBench.call(PlaneBench.function()))
        try await eventually { await bench.invoker.status().pools.first?.counts.idle == 1 }
        let json = await bench.invoker.status().json
        #expect(json["UsedMemoryMB"] == 128)
        #expect(json["Pools"]?.array?.first?["FunctionName"] == "f")
        #expect(json["Pools"]?.array?.first?["Calls"] == 1)
        #expect(json["Functions"]?.array?.first?["ReservedConcurrentExecutions"] == 10)
        let isClean = await bench.close()
        #expect(isClean)
    }
}
