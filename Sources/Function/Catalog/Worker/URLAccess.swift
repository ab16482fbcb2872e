internal import JSON
package import Lambda
internal import Synchronization

// Who may call a function URL.
extension FunctionCatalog {
    /// Whether the resource policy of the URL's function or alias lets everybody call it without a signature: a statement
    /// that allows `lambda:InvokeFunctionUrl` to the principal "*", for the authentication type NONE or for any.
    ///
    /// As with the service, a URL of type NONE without one refuses its callers.
    package func isPublic(_ url: FunctionURL) -> Bool {
        let statements = state.withLock { $0.functions[url.function]?.policies[url.qualifier ?? "$LATEST"] ?? [] }
        return statements.contains { statement in
            (try? JSONParser.parse(statement.text)).map(Self.letsEverybodyIn) ?? false
        }
    }

    static func letsEverybodyIn(_ statement: JSONValue) -> Bool {
        guard statement["Effect"]?.string == "Allow" else { return false }
        guard statement["Principal"]?.string == "*" || statement["Principal", "AWS"]?.string == "*" else {
            return false
        }
        guard ["lambda:InvokeFunctionUrl", "lambda:*", "*"].contains(statement["Action"]?.string) else { return false }
        // Nobody without a signature is in an organisation, an account or behind a source.
        for condition in statement["Condition"]?.object?.members ?? [] {
            for test in condition.value.object?.members ?? [] {
                switch (condition.key, test.key, test.value.string) {
                case ("StringEquals", "lambda:FunctionUrlAuthType", "NONE"): continue
                case ("Bool", "lambda:InvokedViaFunctionUrl", "true"): continue
                default: return false
                }
            }
        }
        return true
    }
}
