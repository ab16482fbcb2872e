package import Catalog
package import Functions
package import HTTPServing
internal import JSON
internal import Lambda
package import Linux
internal import Traces

/// Functions called by HTTP requests that somebody else has received and let in: the gateway of ingresses. Events and
/// answers are those of function URLs.
package struct FunctionGateway: Sendable {
    private let catalog: FunctionCatalog
    private let invoker: any Invoker
    private let now: @Sendable () -> Timestamp

    package init(
        catalog: FunctionCatalog, invoker: any Invoker, now: @escaping @Sendable () -> Timestamp = { Clock.now() }
    ) {
        self.catalog = catalog
        self.invoker = invoker
        self.now = now
    }

    /// Calls a function and waits for its answer.
    ///
    /// - Parameters:
    ///   - function: its name, with a version or alias behind a colon if there is one.
    ///   - client: the client's address.
    /// - Returns: the function's response; for a function that is not there or fails, the one that says so.
    package func call(_ function: String, _ request: HTTPRequest, body: [UInt8], client: String?) async -> HTTPResponse {
        var chance = DoorChance()
        let arrived = now()
        let requestID = Identifiers.requestID(at: arrived, &chance)
        do throws(LambdaFailure) {
            let parts = function.split(separator: ":", maxSplits: 1).map(String.init)
            let (name, qualifier) = (parts.first ?? "", parts.count > 1 ? parts[1] : nil)
            let resolved = try catalog.resolve(name, qualifier: qualifier, chance: chance.next())
            var request = request
            let context = TraceContext(
                after: request.headers.traceCarrier, seconds: arrived.nanoseconds / 1_000_000_000,
                samples: resolved.function.tracesActively, &chance)
            request.headers.setTrace(context)
            let trace = context.amazon
            let host = (request.headers["host"] ?? "").split(separator: ":").first.map(String.init) ?? ""
            let event = URLEvent(
                request: request, target: request.target[...], body: body, url: Self.url(name, qualifier), host: host,
                sourceAddress: client ?? "127.0.0.1", requestID: requestID, trace: trace, arrivedAt: arrived)
            var call = FunctionCall(
                requestID: requestID, function: resolved.function, invokedARN: resolved.invokedARN,
                payload: JSONWriter.bytes(event.json), source: "ingress", trace: trace, arrivedAt: arrived)
            guard call.payload.count <= InvokeRequest.synchronousLimit else {
                throw .requestTooLarge(InvokeRequest.synchronousLimit)
            }
            call.take(request.headers)
            switch await invoker.invoke(call) {
            case .failed(let failure): throw failure
            case .answered(let answer):
                var response = try URLAnswering.response(answer, of: resolved.function)
                if answer.isReplayed { response.headers.addReplayed() }
                // By this id the call is found in log and ledger, whatever the function answered.
                response.headers["x-amzn-RequestId"] = requestID
                return response
            }
        } catch { return FunctionURLDoor.refusal(error, requestID) }
    }

    private static func url(_ function: String, _ qualifier: String?) -> FunctionURL {
        FunctionURL(id: "ingress", function: function, qualifier: qualifier, authentication: .none, mode: .buffered)
    }
}
