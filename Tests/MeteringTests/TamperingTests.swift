import Linux
import Metering
import Store
import TestKit
import Testing

/// Whatever is done to a ledger behind its back shows, at the first record that is wrong.
struct TamperingTests {
    /// Ten calls, of which the fifth has contents, then a restart and two more.
    private static func ledger() async throws -> LedgerFixture {
        var fixture = try await LedgerFixture()
        for number in 0..<10 {
            fixture.ledger.append(number == 4 ? SampleCalls.full() : SampleCalls.plain(number))
        }
        try await fixture.ledger.close()
        fixture = try await LedgerFixture(fixture.directory)
        try await fixture.fill(2)
        try await fixture.ledger.close()
        return fixture
    }

    /// What the same leaves when it is gone itself: it would write its head once more, up to a second after its last
    /// record.
    private static func left() async throws -> (TemporaryDirectory, StateDatabase) {
        let fixture = try await ledger()
        return (fixture.directory, fixture.database)
    }

    private static func tampered(_ statements: String...) async throws -> LedgerVerification {
        let fixture = try await ledger()
        #expect(try await fixture.verify().fault == nil)
        try await fixture.database.write { store throws(StoreFailure) in
            try store.execute("DROP TRIGGER ledgerIsNotChanged")
            try store.execute("DROP TRIGGER ledgerIsNotShortened")
            for statement in statements { try store.execute(statement) }
        }
        return try await fixture.verify()
    }

    @Test func `every byte of a record that is changed shows`() async throws {
        let fixture = try await Self.ledger()
        try await fixture.database.write { store throws(StoreFailure) in
            try store.execute("DROP TRIGGER ledgerIsNotChanged")
        }
        let original = Array(try await fixture.texts()[6].utf8)
        for position in original.indices {
            var bytes = original
            bytes[position] ^= 1
            let changed = bytes
            try await fixture.database.write { store throws(StoreFailure) in
                try store.execute("UPDATE ledger SET record = ?1 WHERE sequence = 7", [.blob(changed)])
            }
            let verification = try await fixture.verify()
            #expect(verification.fault?.kind == .changed && verification.fault?.sequence == 7, "byte \(position)")
            #expect(verification.good == 6)
        }
        try await fixture.database.write { store throws(StoreFailure) in
            try store.execute("UPDATE ledger SET record = ?1 WHERE sequence = 7", [.blob(original)])
        }
        #expect(try await fixture.verify().fault == nil)
    }

    @Test(arguments: [
        ("UPDATE ledger SET hash = zeroblob(32) WHERE sequence = 3", 3),
        ("UPDATE ledger SET hash = x'00' WHERE sequence = 12", 12),
        ("UPDATE ledger SET function = 'other' WHERE sequence = 1", 1),
        ("UPDATE ledger SET request = '' WHERE sequence = 2", 2),
        ("UPDATE ledger SET key = 'k' WHERE sequence = 4", 4),
        ("UPDATE ledger SET key = NULL WHERE sequence = 5", 5),
        ("UPDATE ledger SET recorded = recorded + 1 WHERE sequence = 6", 6),
        ("UPDATE ledger SET record = x'' WHERE sequence = 7", 7),
        ("UPDATE ledger SET record = CAST(record || x'20' AS BLOB) WHERE sequence = 8", 8),
    ])
    func `a changed column shows`(_ statement: String, _ sequence: Int) async throws {
        let verification = try await Self.tampered(statement)
        #expect(verification.fault?.kind == .changed)
        #expect(verification.fault?.sequence == sequence)
        #expect(verification.good == sequence - 1)
    }

    @Test(arguments: [1, 2, 11])
    func `a removed record shows`(_ sequence: Int) async throws {
        let verification = try await Self.tampered("DELETE FROM ledger WHERE sequence = \(sequence)")
        #expect(verification.fault?.kind == .removed)
        #expect(verification.fault?.sequence == sequence)
        #expect(verification.good == sequence - 1)
    }

    @Test func `records that were renumbered after a removal show`() async throws {
        let verification = try await Self.tampered(
            "DELETE FROM ledger WHERE sequence = 5", "UPDATE ledger SET sequence = sequence - 100 WHERE sequence > 5",
            "UPDATE ledger SET sequence = sequence + 99 WHERE sequence < 0")
        #expect(verification.fault?.kind == .changed)
        #expect(verification.fault?.sequence == 5)
    }

    @Test(arguments: [(0, LedgerFault.Kind.inserted, 0), (-3, .inserted, -3), (13, .changed, 13), (20, .removed, 13)])
    func `an inserted record shows`(_ sequence: Int, _ kind: LedgerFault.Kind, _ found: Int) async throws {
        let verification = try await Self.tampered(
            "INSERT INTO ledger SELECT \(sequence), function, request, key, recorded, record, hash FROM ledger WHERE sequence = 3")
        #expect(verification.fault?.kind == kind)
        #expect(verification.fault?.sequence == found)
    }

    @Test func `records that have changed places show`() async throws {
        let verification = try await Self.tampered(
            "UPDATE ledger SET sequence = 100 WHERE sequence = 4", "UPDATE ledger SET sequence = 4 WHERE sequence = 8",
            "UPDATE ledger SET sequence = 8 WHERE sequence = 100")
        #expect(verification.fault?.kind == .changed)
        #expect(verification.fault?.sequence == 4)
    }

    @Test(arguments: [1, 2, 3, 12])
    func `a ledger whose end is cut off shows`(_ count: Int) async throws {
        let verification = try await Self.tampered(
            "DELETE FROM ledger WHERE sequence > \(12 - count)", "DELETE FROM ledgerTotals",
            // Whoever does it carefully makes the totals fit.
            "SELECT 1")
        #expect(verification.good == 12 - count)
        #expect([.totals, .cutOff].contains(verification.fault?.kind))
    }

    @Test func `an end that is cut off and written on is found after restarts, too`() async throws {
        var fixture = try await Self.ledger()
        // As if the last two had never been, totals and all.
        let other = try await Self.ledgerOfTen()
        let totals = try await other.database.read { store throws(StoreFailure) in
            try store.query("SELECT totals FROM ledgerTotals")[0].blob(0)!
        }
        try await fixture.database.write { store throws(StoreFailure) in
            try store.execute("DROP TRIGGER ledgerIsNotShortened")
            try store.execute("DELETE FROM ledger WHERE sequence > 10")
            try store.execute("UPDATE ledgerTotals SET totals = ?1", [.blob(totals)])
        }
        #expect(try await fixture.verify().fault?.kind == .cutOff)
        for _ in 0..<2 {
            fixture = try await LedgerFixture(fixture.directory)
            #expect(fixture.remarks.all.count == 1)
            #expect(fixture.remarks.all.first?.contains("not what it was") == true)
            try await fixture.fill(3)
            try await fixture.ledger.close()
            let fault = try await fixture.verify().fault
            #expect(fault?.kind == .rewritten)
            #expect(fault?.sequence == 12)
        }
    }

    private static func ledgerOfTen() async throws -> LedgerFixture {
        let fixture = try await LedgerFixture()
        for number in 0..<10 { fixture.ledger.append(number == 4 ? SampleCalls.full() : SampleCalls.plain(number)) }
        try await fixture.ledger.close()
        return fixture
    }

    @Test func `a ledger written anew shows by a head that was noted elsewhere`() async throws {
        let fixture = try await Self.ledger()
        let noted = try await fixture.verify().head
        let other = try await LedgerFixture()
        try await other.fill(20)
        try await other.ledger.close()
        #expect(try await other.verify().fault == nil)
        let verification = try await other.verify(noted: [noted])
        #expect(verification.fault?.kind == .rewritten)
        #expect(verification.good == 20)
        #expect(try await fixture.verify(noted: [noted]).fault == nil)
        let text = "\(noted)"
        #expect(LedgerHeads.Anchor(text) == noted)
    }

    @Test func `kept contents that are changed or removed show`() async throws {
        for statement in [
            "UPDATE ledgerContents SET bytes = x'7b7d20' WHERE bytes = x'7b7d'", "DELETE FROM ledgerContents WHERE bytes = x'6e756c6c'",
        ] {
            let verification = try await Self.tampered(statement)
            #expect(verification.fault?.kind == .contents)
            #expect(verification.fault?.sequence == 5)
        }
    }

    @Test func `totals that are not the sums show`() async throws {
        for statement in ["DELETE FROM ledgerTotals", "INSERT INTO ledgerTotals SELECT 1, function, version, totals FROM ledgerTotals"] {
            #expect(try await Self.tampered(statement).fault?.kind == .totals)
        }
    }

    @Test func `a head file that is no list of heads is an error, and put aside by the next run`() async throws {
        let (directory, database) = try await Self.left()
        let headFile = directory.path("functions/ledger.head")
        try Files.replace(headFile, with: Array("12 abc\n".utf8))
        let failure = await #expect(throws: StoreFailure.self) {
            try await LedgerVerification.verify(database, headFile: headFile)
        }
        #expect(failure?.kind == .damaged)
        let next = try await LedgerFixture(directory)
        #expect(next.remarks.all.first?.contains("put aside") == true)
        #expect(Files.exists(headFile + ".damaged"))
        #expect(try await next.verify().fault == nil)
    }

    @Test func `an empty ledger is good`() async throws {
        let fixture = try await LedgerFixture()
        let verification = try await fixture.verify()
        #expect(verification.fault == nil)
        #expect(verification.good == 0)
    }
}
