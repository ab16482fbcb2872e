import HTTPServing
import Synchronization
import TestKit
import Testing

@testable import KubeServing

/// Takes what a sender gives as slowly as a test wants.
private final class SlowOutlet: Sendable {
    private let state = Mutex<(bytes: [UInt8], room: Int, isFinished: Bool)>(([], 0, false))

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var isFinished: Bool { state.withLock { $0.isFinished } }
    func allow(_ writes: Int) { state.withLock { $0.room += writes } }

    var outlet: LoopSender.Outlet {
        .init(
            isWritable: { self.state.withLock { $0.room > 0 } },
            send: { bytes in
                self.state.withLock {
                    $0.bytes += bytes
                    $0.room -= 1
                }
            }, finish: { self.state.withLock { $0.isFinished = true } })
    }
}

@Suite(.timeLimit(.minutes(1))) struct LoopSenderTests {
    private func with(_ body: (ServingLoop) async throws -> Void) async throws {
        let loops = ServingLoops(count: 1)
        try await body(loops.loops[0])
        await loops.shutDown()
    }

    @Test func `parts arrive in order whatever the pace`() async throws {
        try await with { loop in
            let slow = SlowOutlet()
            let sender = LoopSender(slow.outlet, on: loop)
            let given = Mutex(0)
            let parts = (0..<100).map { [UInt8](repeating: UInt8($0), count: 10_000) }
            let sending = Task {
                for part in parts {
                    #expect(await sender.send(part))
                    given.withLock { $0 += 1 }
                }
                sender.finish()
            }
            try await eventually("a sender that waits") { given.withLock { $0 } == 26 }
            try await Task.sleep(for: .milliseconds(50))
            #expect(given.withLock { $0 } == 26)
            #expect(slow.bytes.isEmpty)
            while !slow.isFinished {
                slow.allow(1)
                await loop.run { sender.becameWritable() }
                await Task.yield()
            }
            await sending.value
            #expect(slow.bytes == Array(parts.joined()))
            #expect(await !sender.send([1]))
        }
    }

    @Test func `a sender whose client has gone is let go`() async throws {
        try await with { loop in
            let sender = LoopSender(SlowOutlet().outlet, on: loop)
            let sending = Task { await sender.send([UInt8](repeating: 1, count: 1 << 20)) }
            try await Task.sleep(for: .milliseconds(20))
            sender.gone()
            #expect(await !sending.value)
            #expect(await !sender.send([1]))
            #expect(!sender.give([1]))
        }
    }

    @Test func `an end is given once, though the connection takes bytes again while it is given the last`() async throws {
        try await with { loop in
            let ends = Mutex(0)
            let own = Mutex<LoopSender?>(nil)
            let sender = LoopSender(
                .init(
                    isWritable: { true },
                    // A write that is taken at once makes the connection writable before it returns.
                    send: { _ in own.withLock { $0 }?.becameWritable() },
                    finish: { ends.withLock { $0 += 1 } }), on: loop)
            own.withLock { $0 = sender }
            await loop.run {
                sender.give([1])
                sender.finish()
            }
            try await eventually("its end") { ends.withLock { $0 } > 0 }
            await loop.run {}
            #expect(ends.withLock { $0 } == 1)
            own.withLock { $0 = nil }
        }
    }
}
