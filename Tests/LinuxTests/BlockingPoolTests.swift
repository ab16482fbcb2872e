import Linux
import Synchronization
import Testing

@Suite struct BlockingPoolTests {
    @Test func `blocking work runs on a few threads and returns its value or its error`() async throws {
        let threads = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    try await BlockingPool.shared.run { () throws(SystemError) in try Files.link("/proc/thread-self") }
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect((1...BlockingPool.threadLimit).contains(threads.count))
        let error = await #expect(throws: SystemError.self) {
            try await BlockingPool.shared.run { () throws(SystemError) in try Files.readText("/no/such/file") }
        }
        #expect(error?.code == .noEntry)
    }

    private final class Held: Sendable {}

    /// Work that holds something.
    private func work(_ show: (Held) -> Void) -> @Sendable () throws(SystemError) -> Void {
        let held = Held()
        show(held)
        return { withExtendedLifetime(held) {} }
    }

    @Test func `work lets go of what it holds before it is over`() async throws {
        for _ in 0..<500 {
            weak var held: Held?
            try await BlockingPool.shared.run(work { held = $0 })
            #expect(held == nil)
        }
    }

    @Test func `a full queue refuses work and says so`() async throws {
        let gate = try Gate()
        let error = await withTaskGroup(of: SystemError?.self) { group in
            for _ in 0..<BlockingPool.threadLimit { group.addTask { await gate.pass() } }
            while gate.started.load(ordering: .relaxed) < BlockingPool.threadLimit { await Task.yield() }
            // Every thread is held and the queue is empty: it takes its limit, and refuses one more.
            for _ in 0...BlockingPool.queueLimit { group.addTask { await gate.pass() } }
            let refused = await group.next()!
            gate.open()
            for await other in group { #expect(other == nil) }
            return refused
        }
        #expect(error?.code == .again)
        #expect(error?.description.contains("1024 blocking calls are waiting") == true)
    }
}

/// A pool of its own, and calls that block in it until the gate opens.
private final class Gate: Sendable {
    let started = Atomic(0)
    private let pool = BlockingPool()
    private let reader: SharedFD
    private let writer: Mutex<SharedFD?>

    init() throws {
        var pipe = try Files.pipe()
        reader = SharedFD(pipe.takeReader())
        writer = Mutex(SharedFD(pipe.takeWriter()))
    }

    func pass() async -> SystemError? {
        do throws(SystemError) {
            _ = try await pool.run { [self] () throws(SystemError) in
                started.add(1, ordering: .relaxed)
                return try Files.readAll(reader.raw)
            }
            return nil
        } catch { return error }
    }

    func open() { writer.withLock { $0 = nil } }
}
