package import Lambda

/// What event sources ask of the catalogue of functions.
package protocol FunctionLookup: Sendable {
    /// The version to which an ARN leads now; the weights of an alias are drawn anew each time.
    ///
    /// - Throws: ResourceNotFoundException when there is none any more.
    func function(at arn: String) throws(LambdaFailure) -> DeployedFunction
    /// What is to happen with asynchronous events of that ARN: the configuration of its qualifier.
    func invokeSettings(at arn: String) -> EventInvokeSettings
}
