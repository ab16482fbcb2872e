import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

/// What a program sees from inside a sandbox that a real keeper started.
@Suite(.enabled(if: isRoot, "the keeper makes namespaces, which needs root"), .serialized)
struct SandboxSightTests {
    @Test func `a sandbox sees itself as the only process`() throws {
        let keeper = try KeeperProcess()
        defer { try? keeper.stop() }
        let (output, end) = try keeper.shell("echo $$; ls /proc | grep -c '^[0-9]'", in: SandboxPlan())
        #expect(output == "1\n3\n")
        #expect(end.status == .exited(0))
    }
}
