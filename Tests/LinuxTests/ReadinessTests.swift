import Glibc
import Linux
import Synchronization
import Testing

@Suite struct ReadinessTests {
    private let readiness = Readiness.shared

    @Test func `a read waits until there is something to read`() async throws {
        var pipe = try Files.pipe()
        let reader = SharedFD(pipe.takeReader())
        let writer = pipe.takeWriter()
        let arrived = Atomic(false)
        async let wait: Void = {
            try await readiness.readable(reader.raw)
            arrived.store(true, ordering: .sequentiallyConsistent)
        }()
        while readiness.waits(on: reader.raw) == 0 { await Task.yield() }
        let early = arrived.load(ordering: .sequentiallyConsistent)
        #expect(!early)
        try Files.writeAll([1], to: writer.raw)
        try await wait
        #expect(readiness.waits(on: reader.raw) == 0)
    }

    @Test func `the end of a pipe makes it readable`() async throws {
        var pipe = try Files.pipe()
        let reader = pipe.takeReader()
        do { _ = pipe.takeWriter() }
        try await readiness.readable(reader.raw)
        #expect(try Files.readAll(reader.raw) == [])
    }

    @Test func `a file that cannot be polled is always ready`() async throws {
        let file = try Files.open("/proc/self/exe", 0)
        try await readiness.readable(file.raw)
    }

    @Test func `a descriptor that is not open is an error`() async throws {
        let error = await #expect(throws: SystemError.self) { try await readiness.readable(1_000_000) }
        #expect(error?.code == .badDescriptor)
    }

    @Test func `a cancelled wait ends with ECANCELED and leaves nothing behind`() async throws {
        var pipe = try Files.pipe()
        let reader = SharedFD(pipe.takeReader())
        let writer = pipe.takeWriter()
        let task = Task { try await readiness.readable(reader.raw) }
        while readiness.waits(on: reader.raw) == 0 { await Task.yield() }
        task.cancel()
        let error = await #expect(throws: SystemError.self) { try await task.value }
        #expect(error?.code == .canceled)
        #expect(readiness.waits(on: reader.raw) == 0)
        withExtendedLifetime(writer) {}
    }

    @Test func `waits that race with cancellation end once`() async throws {
        // A wait that ended twice would trap in its continuation, one that never ended would hang the test.
        for round in 0..<500 {
            var pipe = try Files.pipe()
            let reader = SharedFD(pipe.takeReader())
            let writer = pipe.takeWriter()
            let task = Task { try await readiness.readable(reader.raw) }
            if round % 2 == 0 { await Task.yield() }
            task.cancel()
            try Files.writeAll([1], to: writer.raw)
            if case .failure(let error) = await task.result { #expect((error as? SystemError)?.code == .canceled) }
            #expect(readiness.waits(on: reader.raw) == 0)
        }
    }

    @Test func `a reader and a writer wait on one descriptor`() async throws {
        var pair = try MessageSocket.pair()
        let ours = SharedFD(pair.takeFirst())
        let theirs = MessageSocket(adopting: pair.takeSecond())
        let reading = Task { try await readiness.readable(ours.raw) }
        while readiness.waits(on: ours.raw) == 0 { await Task.yield() }
        // Writable at once; the reader goes on waiting and its interest stays with the kernel.
        try await readiness.writable(ours.raw)
        #expect(readiness.waits(on: ours.raw) == 1)
        let second = Task { try await readiness.readable(ours.raw) }
        while readiness.waits(on: ours.raw) < 2 { await Task.yield() }
        try theirs.send([1])
        try await reading.value
        try await second.value
    }

    @Test func `a reused descriptor number loses no wake-up and gets no stranger's`() async throws {
        for _ in 0..<200 {
            var old = try Files.pipe()
            let oldReader = old.takeReader()
            let oldWriter = old.takeWriter()
            let number = oldReader.raw
            // Keeps the old file open in another place, as a child would: epoll goes on watching it.
            let copy = try oldReader.duplicate(lowest: 500)
            let abandoned = Task { try await readiness.readable(number) }
            while readiness.waits(on: number) == 0 { await Task.yield() }
            var new = try Files.pipe()
            let newReader = new.takeReader()
            let newWriter = new.takeWriter()
            #expect(dup2(newReader.raw, number) == number)
            let wait = Task { try await readiness.readable(number) }
            while readiness.waits(on: number) < 2 { await Task.yield() }
            // The old file becomes readable: its event comes before that of the wait below, and wakes nobody.
            try Files.writeAll([1], to: oldWriter.raw)
            try await readiness.readable(copy.raw)
            #expect(readiness.waits(on: number) == 2)
            try Files.writeAll([1], to: newWriter.raw)
            try await wait.value
            try await abandoned.value
            withExtendedLifetime(newReader.raw) {}
        }
    }

    @Test func `many tasks wait at once`() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<300 {
                var pipe = try Files.pipe()
                let reader = SharedFD(pipe.takeReader())
                let writer = SharedFD(pipe.takeWriter())
                group.addTask {
                    try await readiness.readable(reader.raw)
                    #expect(try Files.readAll(reader.raw, limit: 1) == [7])
                }
                group.addTask {
                    await Task.yield()
                    try Files.writeAll([7], to: writer.raw)
                }
            }
            try await group.waitForAll()
        }
    }
}
