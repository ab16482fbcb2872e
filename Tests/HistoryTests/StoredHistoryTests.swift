import Glibc
import Linux
import Metrics
import Store
import Synchronization
import TestKit
import Testing

@testable import History

/// A clock that tests set.
final class SetClock: Sendable {
    private let seconds: Mutex<Int>
    init(_ second: Int) { seconds = Mutex(second) }
    var second: Int {
        get { seconds.withLock { $0 } }
        set { seconds.withLock { $0 = newValue } }
    }
    var now: Timestamp { Timestamp(nanoseconds: second * 1_000_000_000) }
}

@Suite struct StoredHistoryTests {
    private static let begin = 1_800_000_000

    private static func time(_ second: Int) -> Timestamp { Timestamp(nanoseconds: second * 1_000_000_000) }

    private static func open(_ directory: TemporaryDirectory) throws -> StateDatabase {
        try StateDatabase(path: directory.path("history.db"), migrations: HistoryTables.migrations)
    }

    /// Both are asked the same, and have to say the same.
    private static func compare(
        _ model: MemoryHistory, _ history: StoredHistory, from: Int, to: Int, points: Int, labels: [MetricLabel] = []
    ) async throws {
        let expected = try await model.series("x", labels: labels, from: time(from), to: time(to), points: points, limit: 100)
        let found = try await history.series("x", labels: labels, from: time(from), to: time(to), points: points, limit: 100)
            .sorted { $0.labels.map(\.value).lexicographicallyPrecedes($1.labels.map(\.value)) }
        #expect(found.map(\.labels) == expected.map(\.labels))
        for (one, other) in zip(found, expected) {
            #expect(one.points.map(\.at) == other.points.map(\.at), "\(from)...\(to) in \(points)")
            for (a, b) in zip(one.points, other.points) {
                #expect((a.minimum, a.maximum) == (b.minimum, b.maximum))
                #expect(abs(a.mean - b.mean) <= 0.001 * max(1, abs(b.mean)))
            }
        }
    }

    private static func questions(_ model: MemoryHistory, _ history: StoredHistory, _ clock: SetClock) async throws {
        let now = clock.second
        for (span, points) in [(60, 60), (600, 60), (3600, 3600), (3600, 60), (7200, 100), (86_400, 288), (86_400, 24), (7 * 86_400, 50)] {
            try await compare(model, history, from: now - span, to: now + 1, points: points)
        }
        try await compare(model, history, from: now - 7200, to: now - 3600, points: 60, labels: [MetricLabel("n", "1")])
    }

    /// Blocks of two or three series, some seconds without.
    private static func block(_ second: Int, _ chance: inout SeededChance) -> SecondBlock {
        var block = SecondBlock(of: second)
        for series in 0..<3 where series < 2 || Bool.random(using: &chance) {
            for slot in 0..<SecondBlock.seconds where Int.random(in: 0..<10, using: &chance) > 0 {
                let value = series == 0 ? 5 : Double(Int.random(in: 0...1000, using: &chance))
                block.add(SlotPoint(value), of: SeriesKey("x", [MetricLabel("n", "\(series)")]), at: block.at + slot)
            }
        }
        return block
    }

    @Test func `a history in the database answers as the model does`() async throws {
        let directory = try TemporaryDirectory("history")
        let clock = SetClock(Self.begin)
        let model = MemoryHistory { clock.now }
        var chance = SeededChance(seed: 1)
        var database = try Self.open(directory)
        var history = StoredHistory(database) { clock.now }
        for round in 0..<1500 {
            // Sometimes the node was not there.
            clock.second += round % 97 == 0 ? Int.random(in: 60...5000, using: &chance) : SecondBlock.seconds
            let block = Self.block(clock.second, &chance)
            model.record(block)
            try await history.record(block, mayPrune: false)
            clock.second = block.at + SecondBlock.seconds - 1
            if round % 250 == 249 { try await Self.questions(model, history, clock) }
            if round % 400 == 399 {
                await database.close()
                database = try Self.open(directory)
                history = StoredHistory(database) { clock.now }
                try await Self.questions(model, history, clock)
            }
        }
        await database.close()
    }

    @Test func `the clock is set back and forward`() async throws {
        let directory = try TemporaryDirectory("history")
        let clock = SetClock(Self.begin)
        let model = MemoryHistory { clock.now }
        let database = try Self.open(directory)
        let history = StoredHistory(database) { clock.now }
        var chance = SeededChance(seed: 2)
        for jump in [0, -1800, 45, 7200, -9000, 3600, -20, 86_400, -86_400] {
            clock.second += jump
            for _ in 0..<40 {
                let block = Self.block(clock.second, &chance)
                model.record(block)
                try await history.record(block, mayPrune: false)
                clock.second = block.at + SecondBlock.seconds
            }
            // Asked when the clock shows the latest time again: what lies ahead of it is nobody's past.
            let shown = clock.second
            clock.second = Self.begin + 200_000
            for (span, points) in [(400_000, 100), (400_000, 1000), (86_400 * 6, 400)] {
                try await Self.compare(model, history, from: clock.second - span, to: clock.second, points: points)
            }
            clock.second = shown
        }
        await database.close()
    }

    @Test func `what is being measured is in the answer`() async throws {
        let directory = try TemporaryDirectory("history")
        let clock = SetClock(Self.begin + 5)
        let database = try Self.open(directory)
        let history = StoredHistory(database) { clock.now }
        var block = SecondBlock(of: Self.begin)
        block.add(SlotPoint(7), of: SeriesKey("x", [MetricLabel("a", "b")]), at: Self.begin + 3)
        history.show(block)
        let found = try await history.series(
            "x", labels: [], from: Self.time(Self.begin), to: Self.time(Self.begin + 10), points: 10, limit: 1)
        #expect(found == [
            MeasuredSeries(
                "x", labels: [MetricLabel("a", "b")],
                points: [MeasuredPoint(at: Self.time(Self.begin + 3), minimum: 7, mean: 7, maximum: 7)])
        ])
        await #expect(throws: HistoryError.self) {
            try await history.series("x", labels: [], from: clock.now, to: clock.now, points: 10, limit: 1)
        }
        await database.close()
    }

    @Test func `what is too old goes, and what a wrong clock has dated ahead`() async throws {
        let directory = try TemporaryDirectory("history")
        let database = try Self.open(directory)
        let history = StoredHistory(database)
        func record(_ second: Int, prunes: Bool) async throws {
            var block = SecondBlock(of: second)
            block.add(SlotPoint(1), of: SeriesKey("x"), at: second)
            try await history.record(block, mayPrune: prunes)
        }
        func count() async throws -> [Int] {
            try await database.read { store throws(StoreFailure) in
                let rows = try store.query("SELECT 'b', tier, count(*) FROM block GROUP BY tier UNION ALL SELECT 'c', tier, count(*) FROM chunk GROUP BY tier")
                return rows.map { $0.integer(2)! }
            }
        }
        for hour in 0..<5 { try await record(Self.begin + hour * 3600, prunes: false) }
        try await record(Self.begin + 40 * 86_400, prunes: false)
        let before = try await count()
        // The clock is right again, ten days on.
        try await record(Self.begin + 10 * 86_400, prunes: false)
        #expect(try await count().reduce(0, +) > before.reduce(0, +))
        try await record(Self.begin + 10 * 86_400 + 3700, prunes: true)
        let left = try await database.read { store throws(StoreFailure) in
            try store.query(
                "SELECT at FROM block WHERE tier = 0 UNION ALL SELECT at FROM chunk WHERE tier = 1 ORDER BY 1"
            ).map { $0.integer(0)! }
        }
        #expect(left.allSatisfy { abs($0 - Self.begin - 10 * 86_400) <= 7200 }, "\(left)")
        await database.close()
    }

    @Test func `the space is bounded`() async throws {
        let directory = try TemporaryDirectory("history")
        let database = try Self.open(directory)
        let limit = 600_000
        let history = StoredHistory(database, spaceLimit: limit)
        var chance = SeededChance(seed: 9)
        // Minutes that are all different, of 60 series: one block a minute stands for six.
        for minute in 0..<400 {
            var block = SecondBlock(of: Self.begin + minute * 60)
            for series in 0..<60 {
                let key = SeriesKey("x", [MetricLabel("n", "\(series)")])
                block.add(SlotPoint(.random(in: 0...1, using: &chance)), of: key, at: block.at)
                block.add(SlotPoint(.random(in: 0...1, using: &chance)), of: key, at: block.at + 1)
            }
            try await history.record(block, mayPrune: minute % 60 == 0)
        }
        let used = try await database.read { store throws(StoreFailure) in try Pruning.used(store) }
        // An hour's chunks come at once, and are there until the next look.
        #expect(used < limit + 100_000, "\(used)")
        await database.close()
    }

    @Test(.enabled(if: isRoot)) func `a full disk is told of once`() async throws {
        try await SmallDisk.with("1m") { disk in
            let database = try StateDatabase(path: disk + "/history.db", migrations: HistoryTables.migrations)
            let sentences = Mutex<[String]>([])
            let sampler = HistorySampler(
                StoredHistory(database), sources: { [.gauge("x", "", 1), .gauge("y", "", Double.random(in: 0...1))] },
                note: { sentence in sentences.withLock { $0.append(sentence) } })
            var work = HistorySampler.Work()
            var second = Self.begin
            func measure(_ blocks: Int) async {
                for _ in 0..<(blocks * SecondBlock.seconds) {
                    await sampler.measure(&work, wall: Self.time(second), monotonic: second * 1_000_000_000)
                    second += 1
                }
            }
            await measure(3)
            #expect(sentences.withLock { $0.isEmpty })
            // Until nothing fits any more.
            var (number, size) = (0, 64 << 10)
            while size >= 1 << 12 {
                number += 1
                do { try Files.replace("\(disk)/ballast\(number)", with: [UInt8](repeating: 1, count: size)) } catch { size /= 2 }
            }
            await measure(200)
            let told = sentences.withLock { $0 }
            #expect(told.count == 1 && told[0].contains("has a gap"), "\(told)")
            for name in try Files.list(disk) where name.hasPrefix("ballast") { try Files.remove(disk + "/" + name) }
            await measure(3)
            #expect(sentences.withLock { $0.last }?.contains("written again") == true)
            #expect(sentences.withLock { $0.count } == 2)
            await database.close()
        }
    }

    @Test func `a history survives kill -9`() async throws {
        let directory = try TemporaryDirectory("history")
        let program = try Files.link("/proc/self/exe")
        var last = -1
        for _ in 0..<3 {
            let outcome = try await CommandRunner.run(
                [program, "--testing-library", "swift-testing", "--filter", "CrashingHistory"],
                environment: ["FORKLESS_CRASHING_HISTORY=\(directory.path)", "FORKLESS_CRASHING_FROM=\(last + 1)", "PATH=/usr/bin:/bin"])
            #expect("\(outcome.status)".contains("SIGKILL"), "\(outcome.text)\(outcome.errorText)")
            last = try #require(outcome.text.split(separator: "\n").last { $0.hasPrefix("ack ") }.flatMap { Int($0.dropFirst(4)) })
            let database = try Self.open(directory)
            // Every minute that was told of, and perhaps the one that was under way.
            let end = Self.begin + (last + 2) * 60
            let history = StoredHistory(database) { Self.time(end) }
            let found = try await history.series("x", labels: [], from: Self.time(Self.begin), to: Self.time(end), points: last + 2, limit: 1)
            let measured = found[0].points
            #expect(measured.count >= last + 1 && measured.count <= last + 2)
            for point in measured { #expect(Int(point.mean) == (point.at.nanoseconds / 1_000_000_000 - Self.begin) / 60) }
            let sound = try await database.read { store throws(StoreFailure) in try store.first("PRAGMA integrity_check")?.text(0) }
            #expect(sound == "ok")
            await database.close()
        }
    }

    @Test func `a damaged history is put aside`() async throws {
        let directory = try TemporaryDirectory("history")
        let path = directory.path("history.db")
        try Files.replace(path, with: Array(repeating: 0x41, count: 9000))
        let sentences = Mutex<[String]>([])
        let database = try HistoryDatabase.open(path) { sentence in sentences.withLock { $0.append(sentence) } }
        #expect(sentences.withLock { $0.first }?.contains("begins anew") == true)
        #expect(Files.exists(path + ".damaged"))
        await database.close()
    }
}

/// Runs in a process of its own, which it kills: see `a history survives kill -9`.
struct CrashingHistory {
    private static let directory = OwnProcess.variable("FORKLESS_CRASHING_HISTORY")

    @Test(.enabled(if: directory != nil)) func `measures until it is killed`() async throws {
        let database = try StateDatabase(path: Self.directory! + "/history.db", migrations: HistoryTables.migrations)
        let history = StoredHistory(database)
        let from = Int(OwnProcess.variable("FORKLESS_CRASHING_FROM")!)!
        for minute in from... {
            var block = SecondBlock(of: 1_800_000_000 + minute * 60)
            block.add(SlotPoint(Double(minute)), of: SeriesKey("x"), at: block.at)
            try await history.record(block, mayPrune: false)
            try Files.writeAll(Array("ack \(minute)\n".utf8), to: 1)
            guard minute == from else { continue }
            // From here on: a slow disk may take longer for the first minute than for all the others.
            Task.detached {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
                kill(getpid(), SIGKILL)
            }
        }
    }
}
