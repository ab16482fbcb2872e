import Functions
import Lambda
import Linux
import Testing

@testable import EventSources

@Suite struct RetryRuleTests {
    let start = Timestamp("2026-11-29T12:00:00Z")!

    func verdict(
        _ outcome: InvocationOutcome, errors: Int = 0, refusals: Int = 0, after: Duration = .zero,
        _ change: (inout EventInvokeSettings) -> Void = { _ in }
    ) -> RetryRule.Verdict {
        var settings = EventInvokeSettings()
        change(&settings)
        return RetryRule().verdict(
            outcome, functionErrors: errors, refusals: refusals, acceptedAt: start, now: start + after,
            settings: settings)
    }

    func call() throws -> FunctionCall {
        FunctionCall(
            requestID: "r", function: try KnownFunctions().function(at: KnownFunctions.arn("f")), invokedARN: "",
            payload: [],
            source: "async", trace: "", arrivedAt: start)
    }

    @Test func `an error of the function is tried again after one minute and after two`() throws {
        let error = InvocationOutcome.functionError(of: try call())
        #expect(verdict(error, errors: 1) == .retry(after: .seconds(60)))
        #expect(verdict(error, errors: 2) == .retry(after: .seconds(120)))
        #expect(verdict(error, errors: 3) == .failed(.retriesExhausted))
        #expect(verdict(error, errors: 1) { $0.maximumRetries = 0 } == .failed(.retriesExhausted))
        #expect(verdict(.success(of: try call())) == .succeeded)
    }

    @Test func `throttles and system errors use up no attempts`() {
        #expect(verdict(.throttled, refusals: 1) == .postpone(after: .seconds(1), isThrottle: true))
        #expect(verdict(.throttled, refusals: 5) == .postpone(after: .seconds(16), isThrottle: true))
        #expect(verdict(.throttled, refusals: 1000) == .postpone(after: .seconds(300), isThrottle: true))
        #expect(
            verdict(.broken, refusals: 2) { $0.maximumRetries = 0 } == .postpone(after: .seconds(2), isThrottle: false))
    }

    @Test func `an event whose next attempt would come too late fails for its age`() throws {
        let error = InvocationOutcome.functionError(of: try call())
        #expect(
            verdict(error, errors: 1, after: .seconds(1)) { $0.maximumAgeSeconds = 60 } == .failed(.eventAgeExceeded))
        #expect(verdict(.throttled, refusals: 9, after: .seconds(21_599)) == .failed(.eventAgeExceeded))
        #expect(
            verdict(.throttled, refusals: 1, after: .seconds(21_598)) == .postpone(after: .seconds(1), isThrottle: true)
        )
    }

    @Test func `what the client did wrong is not tried again`() {
        #expect(verdict(.failed(.notFound("gone")), refusals: 1) == .failed(.retriesExhausted))
    }
}
