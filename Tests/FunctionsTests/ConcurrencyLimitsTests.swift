import Lambda
import Testing

@testable import Functions

@Suite struct ConcurrencyLimitsTests {
    static let reservedReason = "ReservedFunctionConcurrentInvocationLimitExceeded"
    static let accountReason = "ConcurrentInvocationLimitExceeded"

    @Test func `a reserve is a guarantee and a cap`() throws {
        var limits = ConcurrencyLimits(account: 110)
        try limits.reserve("a", 10)
        let (a, b) = (limits.place(of: "a"), limits.place(of: "b"))
        for _ in 0..<100 { #expect(limits.enter(b) == nil) }
        let entered = limits.enter(b)
        let refused = try #require(entered)
        #expect(refused.status == 429 && refused.name == "TooManyRequestsException")
        #expect(refused.reason == Self.accountReason && refused.retryAfter == 1)
        for _ in 0..<10 { #expect(limits.enter(a) == nil, "what is reserved is there") }
        #expect(limits.enter(a)?.reason == Self.reservedReason)
        limits.leave(a)
        #expect(limits.enter(a) == nil)
        limits.leave(b)
        #expect(limits.enter(b) == nil)
    }

    @Test func `a reserve of nothing switches a function off`() throws {
        var limits = ConcurrencyLimits(account: 1000)
        let place = limits.place(of: "a")
        #expect(limits.enter(place) == nil)
        try limits.reserve("a", 0)
        #expect(limits.enter(place)?.reason == Self.reservedReason)
        limits.leave(place)
        try limits.reserve("a", nil)
        #expect(limits.enter(place) == nil)
    }

    @Test func `a hundred calls stay for functions without a reserve`() throws {
        var limits = ConcurrencyLimits(account: 1000)
        try limits.reserve("a", 500)
        try limits.reserve("b", 400)
        let failure = #expect(throws: LambdaFailure.self) { try limits.reserve("c", 1) }
        #expect(failure?.name == "InvalidParameterValueException")
        #expect(failure?.message.contains("below its minimum value of [100]") == true)
        try limits.reserve("a", 499)
        try limits.reserve("c", 1)
        #expect(limits.unreserved == 100)
    }

    @Test func `calls under way are counted on the right side when a reserve comes and goes`() throws {
        var limits = ConcurrencyLimits(account: 1000)
        let place = limits.place(of: "a")
        for _ in 0..<5 { #expect(limits.enter(place) == nil) }
        #expect(limits.unreservedInFlight == 5)
        try limits.reserve("a", 3)
        #expect(limits.unreservedInFlight == 0)
        #expect(limits.enter(place) != nil)
        try limits.reserve("a", nil)
        for _ in 0..<5 { limits.leave(place) }
        #expect(limits.unreservedInFlight == 0 && limits.inFlight == 0)
    }
}
