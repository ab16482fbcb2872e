package import Functions
package import Lambda
internal import Linux

/// A function of this node as the answerer of calls.
package struct FunctionAnswerer: PayloadAnswerer {
    /// Makes the call of the function that a name means now.
    package typealias CallMaking =
        @Sendable (_ head: CallHead, _ payload: [UInt8], _ clientContext: String?) throws(LambdaFailure) -> FunctionCall

    private let invoker: any Invoker
    private let form: PayloadForm
    private let makeCall: CallMaking

    package init(_ invoker: any Invoker, _ form: PayloadForm, makeCall: @escaping CallMaking) {
        self.invoker = invoker
        self.form = form
        self.makeCall = makeCall
    }

    /// Refusals before a function has run: it is not there, there are too many calls, a deadline, a payload.
    private static let beforeRunning: Set<Int> = [400, 403, 404, 408, 409, 413, 429]

    package func answer(_ payload: CallPayload) async throws(PayloadFailure) -> PayloadAnswer {
        let call: FunctionCall
        do { call = try makeCall(payload.head, payload.bytes(form), form == .plain ? payload.clientContext : nil) } catch {
            throw .notRun(error.description)
        }
        switch await invoker.invoke(call) {
        case .failed(let failure):
            if Self.beforeRunning.contains(failure.status) { throw .notRun(failure.description) }
            throw .unknown(failure.description)
        case .answered(let answer) where answer.functionError != nil:
            return PayloadAnswer(output: [], errors: answer.payload + Array("\n".utf8), status: 1)
        case .answered(let answer):
            guard form == .wrapped else { return PayloadAnswer(output: answer.payload) }
            guard let unwrapped = PayloadAnswer(wrapped: answer.payload) else {
                return PayloadAnswer(
                    output: [],
                    errors: Array("forkless: the function's answer is no object with output, errors and status\n".utf8),
                    status: 1)
            }
            return unwrapped
        }
    }
}
