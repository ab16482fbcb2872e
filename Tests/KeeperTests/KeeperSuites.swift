import TestKit
import Testing

/// Everything that needs a real keeper, one test after the other: they count what is left on the whole machine.
@Suite(.enabled(if: isRoot, "the keeper makes namespaces, which needs root"), .serialized)
enum KeeperSuites {}

/// Counts the machine before and after a suite: what is there only afterwards was left behind.
struct LeavesNothing: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        var scope = Census.Scope()
        // The keeper is a process of its own: here only the runtime opens these, at its first sleeps, and keeps them.
        scope.ignores = { item in
            ["timerfd", "eventpoll", "eventfd"].contains { item.sentence.hasSuffix("anon_inode:[\($0)]") }
        }
        let before = await Census.take(scope)
        try await function()
        let left = await Census.settled(since: before)
        #expect(left.isEmpty, "\(left.joined(separator: "\n"))")
    }
}

extension Trait where Self == LeavesNothing {
    /// No process, cgroup, mount, namespace, descriptor or file is left over by the suite.
    static var leavesNothing: LeavesNothing { LeavesNothing() }
}
