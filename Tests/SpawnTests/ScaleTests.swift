import Glibc
import Linux
import Spawn
import TestKit
import Testing

@Suite struct ScaleTests {
    @Test func `a hundred thousand arguments arrive`() async throws {
        // dash counts and adds up: nothing was lost, nothing came twice.
        let count = try Template("/bin/sh", arguments: ["-c", "echo $# $1 ${100000}", "sh"])
        #expect(try await count.run(arguments: (1...100_000).map(String.init)).text == "100000 1 100000\n")
    }

    @Test func `an environment of two megabytes arrives`() async throws {
        // The kernel allows a quarter of the stack limit for both together (execve(2)): 2 MiB with the usual 8.
        let value = String(repeating: "v", count: 100_000)
        func variables(_ count: Int) -> Environment {
            .exactly(Dictionary(uniqueKeysWithValues: (100..<100 + count).map { ("BIG\($0)", value) }))
        }
        let env = try Template("/usr/bin/env")
        let text = try await env.run(environment: variables(20)).text
        #expect(text.utf8.count == 20 * ("BIG100=".utf8.count + 100_000 + 1))
        let error = await #expect(throws: SpawnError.self) { try await env.run(environment: variables(70)) }
        #expect(error?.code == .listTooLong)
    }

    @Test func `starts from many tasks at once leak nothing and every program is reaped once`() async throws {
        let before = await Census.take(Census.Scope(only: [.descriptor, .process]))
        let template = try Template("/bin/sh", arguments: ["-c", "read n; echo $n; exit $((n % 250))"])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let result = try await template.run(input: .bytes(Array("\(number)\n".utf8)))
                    #expect(result.text == "\(number)\n")
                    #expect(result.status == .exited(Int32(number % 250)))
                }
            }
            try await group.waitForAll()
        }
        #expect(await Census.settled(since: before) == [])
    }

    @Test func `no handler of ours runs in a child`() async throws {
        // The handler counts in memory that parent and child share until the exec: with signals raining on the whole
        // process group of starting children, a handler run there would show, as would a child that died of it.
        Handler.count.pointee = 0
        Handler.foreign.pointee = 0
        Handler.home.pointee = getpid()
        let before = signal(SIGURG, Handler.entry)
        defer { signal(SIGURG, before) }
        let rain = Task.detached {
            // SIGURG's default is to be ignored, so programs that get it go on. The group includes the children.
            while !Task.isCancelled {
                kill(0, SIGURG)
                await Task.yield()
            }
        }
        let template = try Template("true")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<300 {
                group.addTask {
                    let exit = try await template.start().wait()
                    #expect(exit.status == .exited(0))
                }
            }
            try await group.waitForAll()
        }
        rain.cancel()
        _ = await rain.result
        #expect(Handler.count.pointee > 0)
        #expect(Handler.foreign.pointee == 0)
    }
}

/// What a signal handler may touch: memory that is there before it runs, and getpid(2) by number.
private enum Handler {
    nonisolated(unsafe) static let count = make()
    nonisolated(unsafe) static let foreign = make()
    nonisolated(unsafe) static let home = make()

    private static func make() -> UnsafeMutablePointer<Int32> {
        let pointer = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        pointer.initialize(to: 0)
        return pointer
    }

    static let entry: @convention(c) (CInt) -> Void = { _ in
        count.pointee &+= 1
        if getpid() != home.pointee { foreign.pointee &+= 1 }
    }
}
