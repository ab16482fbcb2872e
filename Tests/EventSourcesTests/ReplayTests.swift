import EventSources
import Functions
import JSON
import Lambda
import Linux
import Metering
import Synchronization
import TestKit
import Testing

@testable import EventSources

@Suite struct ReplayTests {
    func recorded(_ number: Int, _ answer: String, key: String? = nil) -> MeteredCall {
        var call = MeteredCall(
            requestID: "r\(number)", function: "f", version: "1", invokedARN: "", source: "invoke",
            arrivedAt: Timestamp(nanoseconds: number))
        call.orderKey = key
        call.recordedPayload = Array("\(number)".utf8)
        call.recordedAnswer = Array(answer.utf8)
        return call
    }

    func report(_ calls: [MeteredCall], _ invoker: ScriptedInvoker) async throws -> ReplayReport {
        let functions = KnownFunctions()
        functions.put("f") { $0.settings.key = .message }
        let pages = Mutex([calls])
        return try await Replay(invoker: invoker, functions: functions).run(against: KnownFunctions.arn("f")) {
            pages.withLock { $0.popLast() ?? [] }
        }
    }

    @Test func `answers are compared byte for byte and as JSON`() async throws {
        var unrecorded = recorded(6, "")
        unrecorded.recordedPayload = nil
        let calls = [
            recorded(1, #"{"a":1,"b":[1,2]}"#), recorded(2, #"{"a":1,"b":2}"#), recorded(3, #"{"a":{"x":[1,2]}}"#),
            recorded(4, "1"),
            recorded(5, "1"), unrecorded,
        ]
        let report = try await report(
            calls,
            ScriptedInvoker { call, _ in
                switch String(decoding: call.payload, as: UTF8.self) {
                case "1": .success(of: call, #"{"a":1,"b":[1,2]}"#)
                case "2": .success(of: call, #"{ "b":2, "a":1 }"#)
                case "3": .success(of: call, #"{"a":{"x":[1,3]}}"#)
                case "4": .functionError(of: call)
                default: .throttled
                }
            })
        #expect(report.counts == [.identical: 1, .equalJSON: 1, .different: 1, .otherOutcome: 1, .notRun: 1])
        #expect(report.withoutRecord == 1 && !report.isClean)
        #expect(report.differences.map(\.path) == ["$.a.x[1]", "$", nil])
        #expect(report.json["counts", "identical"]?.integer == 1)
    }

    @Test func `recorded calls run again in the order of each key`() async throws {
        let calls = (0..<60).map { recorded($0, #""ok""#, key: $0 % 4 == 3 ? nil : "k\($0 % 4)") }
        let invoker = ScriptedInvoker()
        let report = try await report(calls, invoker)
        #expect(report.isClean && report.counts[.identical] == 60)
        for key in 0..<3 {
            let order = invoker.payloads.compactMap { Int($0) }.filter { $0 % 4 == key }
            #expect(order == order.sorted())
        }
        #expect(invoker.peak <= 8)
    }

    @Test func `a replayed call has no key`() async throws {
        let invoker = ScriptedInvoker()
        _ = try await report([recorded(1, "1")], invoker)
        #expect(invoker.calls[0].function.settings.key == nil)
        #expect(invoker.calls[0].source == "replay")
        #expect(invoker.calls[0].clientContext == #"{"custom":{"forkless:replay":"r1"}}"#)
    }
}
