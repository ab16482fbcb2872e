package import Testing

/// Looks at the end of a suite for what it has left on the machine: `@Suite(.leavesNothing)`.
///
/// For what nobody else makes meanwhile, so for tests that run one after the other. Descriptors and files are not
/// looked at: fixtures that are made once stay for the next suite.
package struct CensusTrait: SuiteTrait, TestTrait, TestScoping {
    private let scope: Census.Scope
    private let limit: Duration

    /// - Parameter limit: how long the kernel may take to clean up.
    package init(_ scope: Census.Scope, within limit: Duration) {
        self.scope = scope
        self.limit = limit
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let before = await Census.take(scope)
        try await function()
        let left = await Census.settled(since: before, within: limit)
        #expect(left == [], "\(test.name) leaves this")
    }
}

extension Trait where Self == CensusTrait {
    /// Nothing that the suite has made is there at its end: no process, control group, mount, namespace or rule.
    package static var leavesNothing: CensusTrait {
        CensusTrait(Census.Scope(only: [.process, .cgroup, .mount, .namespace, .networkRule]), within: .seconds(20))
    }
}
