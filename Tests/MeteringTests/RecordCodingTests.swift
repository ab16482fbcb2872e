import JSON
import Linux
import Metering
import TestKit
import Testing

/// The canonical bytes of a record: one form for each, and back.
struct RecordCodingTests {
    private static let entries: [LedgerEntry] = {
        var calls = [SampleCalls.plain(0), SampleCalls.full()]
        for outcome in [
            MeteredCall.Outcome.success, .functionError(""), .timedOut, .outOfMemory, .refused("TooManyRequestsException"),
            .replayed,
        ] {
            for start in MeteredCall.Start.allCases {
                var call = SampleCalls.plain(1)
                call.outcome = outcome
                call.start = start
                call.instance = start == .none ? nil : "i"
                calls.append(call)
            }
        }
        let capacity = ProvisionedCapacity(
            function: "pay", version: "3", memoryMB: 512, instances: 2, from: Timestamp(nanoseconds: 0),
            to: Timestamp(nanoseconds: 300_000_000_000))
        return calls.map { .call($0) } + [.provisioned(capacity), .lost(calls: 12)]
    }()

    @Test func `every record is read back as it was written`() throws {
        for (index, entry) in Self.entries.enumerated() {
            let record = LedgerRecord(
                sequence: index + 1, recordedAt: Timestamp(nanoseconds: 1_764_390_000_123_456_789), entry: entry)
            let read = try LedgerRecord(canonicalBytes: record.canonicalBytes)
            #expect(read == Self.withoutContents(record))
        }
    }

    @Test func `the canonical bytes are what the JSON writer would write`() throws {
        for entry in Self.entries {
            let record = LedgerRecord(sequence: 1, recordedAt: Timestamp(nanoseconds: 0), entry: entry)
            #expect(JSONWriter.bytes(try JSONParser.parse(record.canonicalBytes)) == record.canonicalBytes)
        }
    }

    @Test func `the canonical bytes stay what they are, since old hashes are made over them`() throws {
        let record = LedgerRecord(
            sequence: 1, recordedAt: Timestamp(nanoseconds: 1_764_390_000_123_456_789), entry: .call(SampleCalls.full()))
        let capacity = LedgerRecord(sequence: 2, recordedAt: Timestamp(nanoseconds: 0), entry: Self.entries.dropLast().last!)
        let lost = LedgerRecord(sequence: 3, recordedAt: Timestamp(nanoseconds: 0), entry: .lost(calls: 12))
        let text = [record, capacity, lost].map { String(decoding: $0.canonicalBytes, as: UTF8.self) + "\n" }.joined()
        #expect(try Snapshot.difference(of: text, from: "records.jsonl") == nil)
    }

    @Test func `bytes that the ledger would not write are no record`() {
        let good = String(
            decoding: LedgerRecord(sequence: 1, recordedAt: Timestamp(nanoseconds: 0), entry: .lost(calls: 12)).canonicalBytes,
            as: UTF8.self)
        #expect(good == #"{"sequence":1,"recordedAt":"1970-01-01T00:00:00.000000000Z","kind":"lost","calls":12}"#)
        for bad in [
            "", "{}", "[]", good + " ", good.replacing(",", with: ", "), good.replacing("12}", with: "12,\"more\":1}"),
            good.replacing("lost", with: "found"), good.replacing("12}", with: "\"12\"}"), good.replacing("12}", with: "012}"),
            good.replacing("00Z", with: "00+00:00"), good.replacing("\"calls\":12", with: "\"calls\":12,\"calls\":12"),
        ] {
            #expect(throws: RecordDamage.self, "\(bad)") { try LedgerRecord(canonicalBytes: Array(bad.utf8)) }
        }
    }

    @Test func `no bytes at all make the reader trap`() {
        var chance = SeededChance(seed: 4)
        let texts = Self.entries.prefix(3).map {
            LedgerRecord(sequence: 1, recordedAt: Timestamp(nanoseconds: 0), entry: $0).canonicalBytes
        }
        for _ in 0..<3000 {
            var bytes = texts.randomElement(using: &chance)!
            for _ in 0..<Int.random(in: 1...4, using: &chance) {
                let at = Int.random(in: 0..<bytes.count, using: &chance)
                switch Int.random(in: 0..<3, using: &chance) {
                case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &chance)
                case 1: bytes.remove(at: at)
                default: bytes.insert(contentsOf: bytes[at..<min(at + 9, bytes.count)], at: at)
                }
            }
            if let record = try? LedgerRecord(canonicalBytes: bytes) {
                #expect(record.canonicalBytes == bytes, "\(chance)")
            }
        }
    }

    /// What is kept of payload and answer stands elsewhere.
    private static func withoutContents(_ record: LedgerRecord) -> LedgerRecord {
        var record = record
        guard var call = record.entry.call else { return record }
        if call.recordedPayload != nil { call.recordedPayload = [] }
        if call.recordedAnswer != nil { call.recordedAnswer = [] }
        record.entry = .call(call)
        return record
    }
}
