import Testing

@testable import Daemon

@Suite struct SandboxUseTests {
    /// After a first look at nothing: what comes is the node's own.
    private func begun() -> SandboxUse {
        var use = SandboxUse()
        use.take(running: [], read: [:])
        return use
    }

    @Test func `what a sandbox uses is added by its kind`() {
        var use = begun()
        use.take(running: ["fn-a", "fn-b", "build-1"], read: ["fn-a": 10, "fn-b": 5, "build-1": 7])
        #expect(use.sums == [.function: 15, .build: 7])
        use.take(running: ["fn-a", "build-1"], read: ["fn-a": 12, "build-1": 7])
        #expect(use.sums == [.function: 17, .build: 7])
    }

    @Test func `a sandbox that was not read for a while adds only what it used since it was`() {
        var use = begun()
        use.take(running: ["fn-a"], read: ["fn-a": 1000])
        // The keeper did not answer for it, or there were too many.
        use.take(running: ["fn-a"], read: [:])
        use.take(running: ["fn-a"], read: [:])
        use.take(running: ["fn-a"], read: ["fn-a": 1003])
        #expect(use.sums == [.function: 1003])
    }

    @Test func `one that began later and was not read at once adds all that it used`() {
        var use = begun()
        use.take(running: ["fn-a"], read: [:])
        use.take(running: ["fn-a"], read: ["fn-a": 40])
        #expect(use.sums == [.function: 40])
    }

    @Test func `what ran before the first look adds what it uses from then on`() {
        var use = SandboxUse()
        use.take(running: ["fn-a"], read: ["fn-a": 5_000_000])
        #expect(use.sums == [:])
        use.take(running: ["fn-a", "fn-b"], read: ["fn-a": 5_000_020, "fn-b": 3])
        #expect(use.sums == [.function: 23])
    }

    @Test func `what could not be read at the first look adds nothing when it is read`() {
        var use = SandboxUse()
        use.take(running: ["fn-a"], read: [:])
        use.take(running: ["fn-a"], read: [:])
        use.take(running: ["fn-a"], read: ["fn-a": 5_000_000])
        #expect(use.sums == [:])
        use.take(running: ["fn-a"], read: ["fn-a": 5_000_004])
        #expect(use.sums == [.function: 4])
    }

    @Test func `another sandbox of a name adds all that it used`() {
        var use = begun()
        use.take(running: ["fn-a"], read: ["fn-a": 100])
        use.take(running: ["fn-a"], read: ["fn-a": 30])
        #expect(use.sums == [.function: 130])
        use.take(running: [], read: [:])
        use.take(running: ["fn-a"], read: ["fn-a": 200])
        #expect(use.sums == [.function: 330])
    }
}
