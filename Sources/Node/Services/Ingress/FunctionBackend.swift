package import HTTPServing

/// Calls functions for requests of ingresses. Given to the gateway by whoever has both.
package protocol FunctionBackend: Sendable {
    /// Calls a function with a request.
    ///
    /// - Parameters:
    ///   - function: its name, with a version or alias behind a colon if there is one.
    ///   - request: as the client sent it, with the fields that a gateway adds.
    ///   - client: its address.
    /// - Returns: the function's answer; for a function that is not there or failed, the answer that says so.
    func call(_ function: String, _ request: HTTPRequest, body: [UInt8], client: String?) async -> HTTPResponse
}
