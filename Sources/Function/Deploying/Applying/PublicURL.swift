package import JSON
package import Lambda

extension LambdaCaller {
    /// Lets everybody call a function URL of type NONE, as SAM and the service's console do when they make one. No effect
    /// for another type, or when it was done before.
    ///
    /// - Parameters:
    ///   - url: the configuration of the URL, as the API answered it.
    ///   - query: `Qualifier=...`, for the URL of an alias.
    package func admitEverybody(
        to name: String, query: String?, url: JSONValue
    ) async throws(LambdaFailure) {
        guard url["AuthType"] == "NONE" else { return }
        var statement = JSONObject()
        statement["StatementId"] = "FunctionURLAllowPublicAccess"
        statement["Action"] = "lambda:InvokeFunctionUrl"
        statement["Principal"] = "*"
        statement["FunctionUrlAuthType"] = "NONE"
        let path = LambdaPaths.function(name, "/policy") + (query.map { "?\($0)" } ?? "")
        do throws(LambdaFailure) { _ = try await call(LambdaRequest("POST", path, json: statement)) } catch {
            // The statement is there.
            guard error.status == 409 else { throw error }
        }
    }
}
