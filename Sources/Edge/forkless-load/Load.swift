import Glibc
import Keeper
import Linux
import Sandbox
import Spawn

/// The requests of Benchmarks/, each a measurement or what has to come before one.
struct Load {
    private let client: KeeperClient
    private let null: SharedFD
    private var names = 0
    private var idle: [String] = []
    /// Closing it ends what is idle: every idle program waits in a read of the other end.
    private var idleInput: SharedFD?

    init(_ client: KeeperClient) throws {
        self.client = client
        null = SharedFD(try Files.open("/dev/null", O_RDWR))
    }

    mutating func perform(_ words: [String]) throws -> [String] {
        guard let verb = words.first else { throw LoadError("an empty request") }
        let rest = Array(words.dropFirst())
        switch verb {
        case "profile": return [LoadPlan.profileAsOCI()]
        case "define": return ["\(try define(rest))"]
        case "prepare": return try prepare(rest)
        case "time": return try time(rest).map(String.init)
        case "sustain": return try sustain(rest).map(String.init)
        case "standby": return try standby(rest).map(String.init)
        case "idle": return try startIdle(rest).map(String.init)
        case "end": return ["\(try endIdle())"]
        case "status": return try status()
        default: throw LoadError("no request is called \(verb)")
        }
    }

    /// define ROOT [PROGRAMS]: a directory, or "host" with the directory PROGRAMS shown at /programs.
    private func define(_ words: [String]) throws -> UInt32 {
        guard let root = words.first else { throw LoadError("define what root?") }
        let plan = try LoadPlan.plan(root: root, programs: words.count > 1 ? words[1] : nil)
        guard case .template(let number) = try client.ask(.define(plan)).reply else {
            throw LoadError("the keeper answered a definition with something else")
        }
        return number
    }

    /// prepare TEMPLATE COUNT: returns when the keeper makes no more. It refills when half are taken, so that more
    /// than half wait then.
    private func prepare(_ words: [String]) throws -> [String] {
        let (template, count) = (try Self.template(words), try Self.number(words, 1))
        _ = try client.ask(.prepare(template: template, count: UInt32(count)))
        var (prepared, unchanged) = (-1, 0)
        for _ in 0..<60_000 {
            let before = prepared
            prepared = try keeperStatus().prepared
            unchanged = prepared == before ? unchanged + 1 : 0
            if prepared >= count || (prepared * 2 > count && unchanged >= Self.settledPolls) { return [] }
            Clock.pauseBlocking(milliseconds: 1)
        }
        throw LoadError("after a minute the keeper has prepared \(prepared) of \(count) sandboxes")
    }

    /// A keeper that has made none for so many milliseconds makes none.
    private static let settledPolls = 50

    /// time TEMPLATE COUNT PROGRAM [ARG...]: from asking for the start to hearing of the exit.
    private mutating func time(_ words: [String]) throws -> [Int] {
        let (template, count, call) = (
            try Self.template(words), try Self.number(words, 1), try Self.call(words, from: 2)
        )
        return try (0..<count).map { _ in try startToExit(template, call) }
    }

    /// sustain TEMPLATE MILLISECONDS PROGRAM [ARG...]: one after the other; how many, in how long.
    private mutating func sustain(_ words: [String]) throws -> [Int] {
        let (template, call) = (try Self.template(words), try Self.call(words, from: 2))
        let length = try Self.number(words, 1) * 1_000_000
        let begin = Clock.monotonicNanoseconds()
        var count = 0
        while Clock.monotonicNanoseconds() - begin < length {
            _ = try startToExit(template, call)
            count += 1
        }
        return [count, Clock.monotonicNanoseconds() - begin]
    }

    private mutating func startToExit(_ template: UInt32, _ call: ProgramCall) throws -> Int {
        let name = nextName()
        let request = StartRequest(template: template, sandbox: name, call: call, stdio: .passed)
        let begin = Clock.monotonicNanoseconds()
        _ = try client.ask(.start(request), [null.raw, null.raw, null.raw])
        let end = try client.end(of: name)
        let took = Clock.monotonicNanoseconds() - begin
        guard end.status == .exited(0) else { throw LoadError("\(call.path) ended with \(end.status)") }
        return took
    }

    /// standby TEMPLATE COUNT INPUT PROGRAM [ARG...]: from handing over the input to hearing of the exit, for a copy
    /// that waits in its first read. The last number is a hash of the output.
    private mutating func standby(_ words: [String]) throws -> [Int] {
        let (template, count, call) = (
            try Self.template(words), try Self.number(words, 1), try Self.call(words, from: 3)
        )
        let input = try Files.read(words[2])
        var hash = 0
        let times = try (0..<count).map { _ in
            let name = nextName()
            var (reply, ends) = try client.ask(
                .start(StartRequest(template: template, sandbox: name, call: call, stdio: .pipes)))
            guard case .started(let report) = reply, ends.count == 3 else { throw LoadError("no pipes came") }
            try FirstRead.await(report.pid)
            let begin = Clock.monotonicNanoseconds()
            try Files.writeAll(input, to: ends[0].raw)
            // The last reference to the pipe's end: closing it is the end of the input.
            ends.removeFirst()
            let bytes = try Files.readAll(ends[0].raw)
            let end = try client.end(of: name)
            let took = Clock.monotonicNanoseconds() - begin
            guard end.status == .exited(0) else {
                let said = String(decoding: try Files.readAll(ends[1].raw), as: UTF8.self)
                throw LoadError("\(call.path) ended with \(end.status): \(said)")
            }
            hash = FirstRead.hash(bytes)
            return took
        }
        return times + [hash]
    }

    /// idle TEMPLATE COUNT LOGS PROGRAM [ARG...]: starts as many that wait for input; from asking to hearing of the start.
    private mutating func startIdle(_ words: [String]) throws -> [Int] {
        let (template, count, call) = (
            try Self.template(words), try Self.number(words, 1), try Self.call(words, from: 3)
        )
        let pipe = try Files.pipe().ends()
        idleInput = pipe.writer
        return try (0..<count).map { _ in
            let name = nextName()
            let logs = "\(words[2])/\(name)"
            try Files.makeDirectories(logs)
            let directory = try Files.open(logs, O_RDONLY | O_DIRECTORY)
            let request = StartRequest(template: template, sandbox: name, call: call, stdio: .logged)
            let begin = Clock.monotonicNanoseconds()
            _ = try client.ask(.start(request), [pipe.reader.raw, directory.raw])
            let took = Clock.monotonicNanoseconds() - begin
            idle.append(name)
            return took
        }
    }

    /// end: ends what is idle and waits for all of it; how many ended by themselves, as they should.
    private mutating func endIdle() throws -> Int {
        idleInput = nil
        var clean = 0
        for name in idle where try client.end(of: name).status == .exited(0) { clean += 1 }
        idle = []
        return clean
    }

    /// status: running, prepared, templates, starts, resident bytes and open descriptors of the keeper.
    private func status() throws -> [String] {
        let status = try keeperStatus()
        return [
            status.running, status.prepared, status.templates, status.starts, status.residentBytes,
            status.openDescriptors,
        ].map(String.init)
    }

    private func keeperStatus() throws -> KeeperStatus {
        guard case .status(let status) = try client.ask(.status).reply else { throw LoadError("no status came") }
        return status
    }

    private mutating func nextName() -> String {
        names += 1
        return "load-\(getpid())-\(names)"
    }

    private static func number(_ words: [String], _ index: Int) throws -> Int {
        guard words.indices.contains(index), let number = Int(words[index]), number >= 0 else {
            throw LoadError("word \(index + 1) of a request is a number")
        }
        return number
    }

    private static func template(_ words: [String]) throws -> UInt32 { UInt32(try number(words, 0)) }

    private static func call(_ words: [String], from index: Int) throws -> ProgramCall {
        guard words.indices.contains(index), let arguments = StringBlock(checking: Array(words[index...])) else {
            throw LoadError("a request to start something names a program")
        }
        return ProgramCall(
            path: words[index], arguments: arguments,
            environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"])
    }
}
