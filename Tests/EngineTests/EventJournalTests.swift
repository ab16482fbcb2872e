import Engine
import Linux
import Synchronization
import TestKit
import Testing

struct EventJournalTests {
    private func actions(
        _ journal: EventJournal, _ filters: [String] = [], since: Timestamp = Timestamp(nanoseconds: 0)
    ) async throws(NodeFailure) -> [String] {
        var actions: [String] = []
        let request = ReadEvents(since: since, until: Timestamp(nanoseconds: 10_000), filters: filters)
        try await journal.read(request) { event async throws(NodeFailure) in actions.append(event.action) }
        return actions
    }

    /// A journal whose clock is the number of events so far, and stands far behind the end of what is read.
    private func journal(_ times: [Int] = []) -> EventJournal {
        let count = Mutex(0)
        return EventJournal {
            count.withLock { count in
                count += 1
                return Timestamp(nanoseconds: count <= times.count ? times[count - 1] : 0x4000_0000 + count)
            }
        }
    }

    @Test func `events come in the order of their times`() async throws {
        let journal = journal([50, 30, 70])
        for action in ["create", "start", "die"] { journal.note(.container, action, subject: "a") }
        var times: [Int] = []
        try await journal.read(ReadEvents(since: Timestamp(nanoseconds: 0), until: Timestamp(nanoseconds: 60))) {
            event async throws(NodeFailure) in times.append(event.time.nanoseconds)
        }
        #expect(times == [50, 50])
        #expect(try await actions(journal, since: Timestamp(nanoseconds: 60)) == ["die"])
    }

    @Test func `the history is bounded`() async throws {
        let journal = journal(Array(1...5000))
        for number in 1...5000 { journal.note(.volume, "\(number)", subject: "v") }
        let actions = try await actions(journal)
        #expect(actions.count == EventJournal.historyLimit)
        #expect(actions.last == "5000")
    }

    @Test func `filters of one key are alternatives, those of several all count`() async throws {
        let journal = journal(Array(1...100))
        journal.note(.container, "start", subject: "abc1", name: "web", attributes: ["image": "app:1", "tier": "front"])
        journal.note(.container, "health_status: healthy", subject: "abc1", name: "web", attributes: ["image": "app:1"])
        journal.note(.container, "die", subject: "def2", name: "db", attributes: ["image": "db:latest"])
        journal.note(.image, "pull", subject: "app:1", name: "app:1")
        journal.note(.volume, "mount", subject: "data")
        #expect(try await actions(journal, ["type=container", "type=volume"]).count == 4)
        #expect(try await actions(journal, ["event=health_status"]) == ["health_status: healthy"])
        #expect(try await actions(journal, ["container=web", "event=start"]) == ["start"])
        #expect(try await actions(journal, ["container=def"]) == ["die"])
        #expect(try await actions(journal, ["image=app"]) == ["start", "health_status: healthy", "pull"])
        #expect(try await actions(journal, ["label=tier=front"]) == ["start"])
        #expect(try await actions(journal, ["volume=data"]) == ["mount"])
        for wrong in ["nonsense=1", "type", "type=pod"] {
            let failure = await #expect(throws: NodeFailure.self) { _ = try await actions(journal, [wrong]) }
            #expect(failure?.kind == .badRequest)
        }
    }

    @Test func `a reader hears what comes, until it is taken back`() async throws {
        let journal = EventJournal()
        let heard = Mutex<[String]>([])
        let reading = Task {
            try await journal.read(ReadEvents(since: Timestamp(nanoseconds: 0))) { event async throws(NodeFailure) in
                heard.withLock { $0.append(event.action) }
            }
        }
        for action in ["create", "start"] { journal.note(.container, action, subject: "a") }
        try await eventually("both were heard") { heard.withLock { $0 } == ["create", "start"] }
        reading.cancel()
        await #expect(throws: NodeFailure.self) { try await reading.value }
    }

    @Test func `a reader that is too slow is told that it missed events`() async throws {
        let journal = EventJournal()
        journal.note(.container, "first", subject: "a")
        let failure = await #expect(throws: NodeFailure.self) {
            try await journal.read(ReadEvents(since: Timestamp(nanoseconds: 0))) { event async throws(NodeFailure) in
                // While this one is being delivered, more happens than is kept.
                guard event.action == "first" else { return }
                for _ in 0..<(3 * EventJournal.historyLimit) { journal.note(.container, "more", subject: "a") }
            }
        }
        #expect(failure?.kind == .conflict)
    }

    @Test func `a reader ends at its time even when nothing happens`() async throws {
        let journal = EventJournal()
        let soon = Timestamp(nanoseconds: Clock.now().nanoseconds + 20_000_000)
        try await journal.read(ReadEvents(until: soon)) { _ async throws(NodeFailure) in }
        #expect(Clock.now() >= soon)
    }
}
