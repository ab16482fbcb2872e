import Testing

@testable import Comparison

@Suite struct ResultWatchTests {
    private func sample(_ output: String, _ failure: CallFault? = nil) -> CallSample {
        CallSample(
            startNanoseconds: nil, callNanoseconds: 1, cpuMicroseconds: nil, output: Array(output.utf8),
            failure: failure)
    }

    @Test func `each input has a first result of its own`() throws {
        let watch = ResultWatch()
        let (one, two) = (WorkloadCall(stream: 0, number: 0), WorkloadCall(stream: 0, number: 1))
        let other = WorkloadCall(stream: 1, number: 0)
        for _ in 0..<2 {
            watch.look(sample("one"), input: one, isUnderLoad: false)
            watch.look(sample("two"), input: two, isUnderLoad: false)
            watch.look(sample("other"), input: other, isUnderLoad: true)
        }
        #expect(watch.found == nil)
        watch.look(sample("too"), input: two, isUnderLoad: true)
        watch.look(sample("wan"), input: one, isUnderLoad: false)
        watch.look(sample("too"), input: two, isUnderLoad: false)
        let found = try #require(watch.found)
        #expect(found.calls == 3 && found.isUnderLoad)
        #expect(found.difference == ResultDifference(Array("too".utf8), expected: Array("two".utf8)))
    }

    @Test func `a call that failed is no result`() {
        let watch = ResultWatch()
        let call = WorkloadCall(stream: 0, number: 0)
        watch.look(sample("", CallFault(.crash, "it crashed")), input: call, isUnderLoad: false)
        watch.look(sample("one"), input: call, isUnderLoad: false)
        watch.look(sample("on", CallFault(.hang, "it hung")), input: call, isUnderLoad: true)
        #expect(watch.found == nil)
    }
}
