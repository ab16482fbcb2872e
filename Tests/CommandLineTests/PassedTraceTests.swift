import Testing

@testable import CommandLine

@Suite struct PassedTraceTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func added(_ own: [String: String], to variables: [String] = []) -> [String] {
        var chance = SystemRandomNumberGenerator()
        return PassedTrace.added(to: variables, own: { own[$0] }, &chance)
    }

    @Test func `a program is one hop further in our trace`() throws {
        let added = added(["TRACEPARENT": Self.parent, "TRACESTATE": "a=1", "HOME": "/root"], to: ["A=b"])
        #expect(added.count == 4 && added[0] == "A=b" && added[2] == "TRACESTATE=a=1")
        #expect(added[1].hasPrefix("TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-") && !added[1].contains("b7ad6b7169203331"))
        #expect(added[3].hasPrefix("_X_AMZN_TRACE_ID=Root=1-0af76519-16cd43dd8448eb211c80319c;Parent="))
    }

    @Test func `without a trace, or with one that the flags name, nothing is added`() {
        #expect(added([:]) == [] && added(["TRACEPARENT": "00-broken", "TRACESTATE": "a=1"]) == [])
        let named = ["TRACEPARENT=mine"]
        #expect(added(["TRACEPARENT": Self.parent], to: named) == named)
    }
}
