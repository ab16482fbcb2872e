import Linux
import Testing

@testable import Dashboard

@Suite struct SessionTableTests {
    private func at(_ seconds: Int) -> Timestamp { Timestamp(nanoseconds: 1_700_000_000_000_000_000 + seconds * 1_000_000_000) }

    /// What changes a value cannot stand in an expectation itself.
    private final class Shared {
        var table = SessionTable()

        func uses(_ ticket: String, at time: Timestamp) -> Bool { table.useTicket(ticket, now: time) }
        func isOpen(_ id: String, at time: Timestamp) -> Bool { table.use(id, now: time) != nil }
    }

    @Test func `a ticket works once, and not for ever`() {
        let shared = Shared()
        shared.table.issueTicket("a", now: at(0))
        shared.table.issueTicket("b", now: at(0))
        #expect(shared.uses("a", at: at(299)))
        #expect(!shared.uses("a", at: at(299)))
        #expect(!shared.uses("b", at: at(300)))
        #expect(!shared.uses("c", at: at(0)))
        // A clock that was set back makes no old ticket new.
        shared.table.issueTicket("d", now: at(1000))
        #expect(!shared.uses("d", at: at(0)))
    }

    @Test func `tickets are bounded`() {
        let shared = Shared()
        for number in 0...SessionTable.ticketLimit { shared.table.issueTicket("\(number)", now: at(number)) }
        #expect(!shared.uses("0", at: at(20)))
        #expect(shared.uses("1", at: at(20)))
    }

    @Test func `sessions are bounded`() {
        let shared = Shared()
        for number in 0..<SessionTable.limit { shared.table.begin("\(number)", formToken: "f", now: at(number)) }
        #expect(shared.isOpen("0", at: at(100)))
        shared.table.begin("new", formToken: "f", now: at(101))
        #expect(shared.table.count == SessionTable.limit)
        #expect(shared.isOpen("0", at: at(102)))
        #expect(!shared.isOpen("1", at: at(102)))
    }

    @Test func `sessions end`() {
        let shared = Shared()
        shared.table.begin("idle", formToken: "f", now: at(0))
        shared.table.begin("old", formToken: "f", now: at(0))
        for hour in 1...(7 * 24 + 1) {
            let isAlive = shared.table.use("old", now: at(hour * 3600)) != nil
            #expect(isAlive == (hour < 7 * 24))
        }
        #expect(!shared.isOpen("idle", at: at(12 * 3600)))
        shared.table.begin("out", formToken: "f", now: at(0))
        shared.table.end("out")
        #expect(!shared.isOpen("out", at: at(0)))
        shared.table.begin("back", formToken: "f", now: at(100 * 3600))
        #expect(!shared.isOpen("back", at: at(0)))
    }

    @Test func `wrong tokens are tried at a bounded rate`() {
        var limit = LoginLimit()
        var wrong = 0
        for second in 0..<60 {
            while limit.allows(nowNanoseconds: (1000 + second) * 1_000_000_000), wrong < 10_000 {
                limit.failed()
                wrong += 1
            }
        }
        #expect((29...30).contains(wrong))
        let isAllowed = limit.allows(nowNanoseconds: 10_000 * 1_000_000_000)
        #expect(isAllowed)
    }

    @Test func `secrets have 256 bits and no two are the same`() {
        let some = (0..<100).map { _ in Secret.random() }
        #expect(Set(some).count == 100)
        #expect(some.allSatisfy { $0.utf8.count == 43 && Place.encoded($0) == $0 })
        #expect(Secret.areEqual(some[0], some[0]))
        #expect(!Secret.areEqual(some[0], some[1]))
        #expect(!Secret.areEqual(some[0], some[0] + "x"))
        #expect(!Secret.areEqual("", "x"))
    }
}
