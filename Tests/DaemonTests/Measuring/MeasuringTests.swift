import Engine
import HTTPServing
import Linux
import Metrics
import Synchronization
import TestKit
import Testing

@testable import Daemon

@Suite struct MeasuringTests {
    @Test func `who is on another machine reads no metrics`() async throws {
        let measurements = Measurements()
        func status(_ peer: String?, door: HTTPAddress? = .tcp("192.0.2.7", 7070), _ method: String = "GET") async -> Int {
            await MetricsPage(door: door).answer(PageRequest(HTTPRequest(method: method, target: "/metrics"), peer: peer), measurements)
                .status
        }
        #expect(await status("127.0.0.1") == 200)
        #expect(await status("127.8.0.1", "HEAD") == 200)
        #expect(await status("::1") == 200)
        #expect(await status("192.0.2.7") == 200)
        #expect(await status("192.0.2.8") == 403)
        #expect(await status("192.0.2.8", door: .tcp("0.0.0.0", 7070)) == 403)
        #expect(await status(nil) == 403)
        #expect(await status("127.0.0.1", "POST") == 405)
    }

    @Test func `those who ask while sources are being asked share the answer`() async throws {
        let source = SlowSource()
        let measurements = Measurements()
        measurements.open([source])
        async let first = measurements.families()
        try await eventually("the source is asked") { source.asked == 1 }
        let others = (0..<20).map { _ in Task { await measurements.families() } }
        // They are waiting, or will be; nobody may ask the source again before it has answered.
        for _ in 0..<100 { await Task.yield() }
        #expect(source.asked == 1)
        source.answer()
        let names = Set([await first.map(\.name)] + (await others.asyncNames()))
        #expect(names.count == 1)
        #expect(names.first?.contains("forkless_slow") == true)
        #expect(source.asked < 5)
    }

    @Test func `a value that is remembered is looked for once in a while, and once at a time`() async throws {
        let looks = Mutex(0)
        let value = Remembered(for: .seconds(3600), first: 0) {
            looks.withLock { $0 += 1 }
            return 7
        }
        #expect((0..<50).map { _ in value.value }.allSatisfy { [0, 7].contains($0) })
        try await eventually("it was found") { value.value == 7 }
        #expect(looks.withLock { $0 } == 1)
        let often = Remembered(for: .zero, first: 0) { looks.withLock { $0 += 1; return $0 } }
        try await eventually("it is found again") { often.value >= 3 }
    }

    @Test func `a process that has parentheses in its name is read`() {
        let line = "123 (a ) b) S 1 123 123 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 9 0 1000 4096 5 18446744073709551615 1 1"
        let process = ProcessTimes(line, bootSeconds: 1_000_000)
        #expect(process?.cpuSeconds == 2)
        #expect(process?.threads == 9)
        #expect(process?.startedAtSeconds == 1_000_010)
        #expect(process?.virtualBytes == 4096)
        #expect(ProcessTimes("123", bootSeconds: nil) == nil)
        #expect(ProcessTimes("123 (x) S 1 2", bootSeconds: nil) == nil)
        #expect((ProcessTimes.read(pid: "self")?.threads ?? 0) > 0)
    }

    @Test func `what the keeper counts does not begin with the node`() {
        var view = KeeperView()
        view.summary = KeeperSummary(
            pid: 1, build: "", running: 0, prepared: 0, templates: 0, starts: 7, residentBytes: 0, openDescriptors: 0)
        view.process = ProcessTimes.read(pid: "self")
        let names = view.families.filter(\.outlivesNode).map(\.name).sorted()
        #expect(names == ["forkless_keeper_cpu_seconds_total", "forkless_keeper_starts_total"])
    }

    @Test func `what a sandbox is for is told by its name`() {
        for (name, kind) in [
            ("fn-a", SandboxKind.function), ("standby-1", .standby), ("exec-standby-3", .standby), ("exec-call-9", .call),
            ("build-2", .build), ("0123456789ab.1", .container),
        ] { #expect(SandboxKind(name) == kind, "\(name)") }
    }
}

extension [Task<[MetricFamily], Never>] {
    fileprivate func asyncNames() async -> [[String]] {
        var names: [[String]] = []
        for task in self { names.append(await task.value.map(\.name)) }
        return names
    }
}

/// Answers when it is told to, and from then on at once.
private final class SlowSource: MetricSource {
    private struct State {
        var asked = 0
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var asked: Int { state.withLock { $0.asked } }

    func answer() {
        let waiting = state.withLock { state in
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func metrics() async -> [MetricFamily] {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                state.asked += 1
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if goesOn { continuation.resume() }
        }
        return [.gauge("forkless_slow", "Slow.", 1)]
    }
}
