package import Lambda

/// What a name and a qualifier stand for at this moment.
package struct ResolvedFunction: Hashable, Sendable {
    package var function: DeployedFunction
    /// With the qualifier that the caller used, if it used one.
    package var invokedARN: String
    /// `X-Amz-Executed-Version`: what an alias has led to.
    package var executedVersion: String { function.version }

    package init(function: DeployedFunction, invokedARN: String) {
        self.function = function
        self.invokedARN = invokedARN
    }
}

/// How many instances of one version are to be kept warm.
package struct ProvisionedFunction: Hashable, Sendable {
    package var function: DeployedFunction
    package var count: Int

    package init(function: DeployedFunction, count: Int) {
        self.function = function
        self.count = count
    }
}
