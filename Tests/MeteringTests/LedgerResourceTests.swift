import JSON
import Linux
import Metering
import TestKit
import Testing

/// What a door serves of the ledger.
struct LedgerResourceTests {
    private struct Served {
        var fixture: LedgerFixture
        var resource: LedgerResource

        init() async throws {
            fixture = try await LedgerFixture()
            resource = LedgerResource(fixture.ledger, headFile: fixture.headFile, prices: { .aws })
        }

        func get(_ page: String, _ query: String = "") async throws -> String {
            switch await resource.answer(path: "/forkless/v1/" + page, query: query) {
            case .whole(_, let body): return String(decoding: body, as: UTF8.self)
            case .parts(_, let parts):
                var bytes: [UInt8] = []
                while let part = try await parts.next() { bytes += part }
                return String(decoding: bytes, as: UTF8.self)
            case .refused(let status, let sentence): return "\(status) \(sentence)"
            }
        }

        /// The numbers of the records in lines of JSON.
        func numbers(_ page: String, _ query: String = "") async throws -> [Int] {
            try await get(page, query).split(separator: "\n").map { line in
                Int(try JSONParser.parse(String(line))["record", "sequence"]!.integer!)
            }
        }
    }

    private static func served() async throws -> Served {
        let served = try await Served()
        for number in 0..<1200 {
            var call = SampleCalls.plain(number, function: number % 100 == 0 ? "rare" : "often", version: number % 2 == 0 ? "1" : "2")
            if number == 700 { call.key = "a key, with \"quotes\" &=%" }
            if number == 701 { call.outcome = .timedOut }
            call.orderKey = number == 702 ? "account" : nil
            served.fixture.ledger.append(call)
        }
        return served
    }

    @Test func `records are found by all that a filter can name`() async throws {
        let served = try await Self.served()
        #expect(try await served.numbers("ledger") == Array(1101...1200))
        #expect(try await served.numbers("ledger", "limit=2") == [1199, 1200])
        #expect(try await served.numbers("ledger", "limit=0") == [])
        #expect(try await served.numbers("ledger", "function=rare&limit=3") == [901, 1001, 1101])
        #expect(try await served.numbers("ledger/export", "function=rare&version=1").count == 12)
        #expect(try await served.numbers("ledger/export", "function=rare&version=2") == [])
        #expect(try await served.numbers("ledger", "key=a+key,%20with%20%22quotes%22%20%26%3D%25") == [701])
        #expect(try await served.numbers("ledger", "request=00000000-0000-4000-8000-000000000005") == [6])
        #expect(try await served.numbers("ledger", "outcome=timed-out") == [702])
        #expect(try await served.numbers("ledger/export", "order=account") == [703])
        #expect(try await served.numbers("ledger/export", "source=url") == [])
        #expect(try await served.numbers("ledger/export") == Array(1...1200))
        #expect(try await served.numbers("ledger", "to=2020-01-01") == [])
        #expect(try await served.numbers("ledger/export", "from=2020-01-01T00:00:00Z&to=2262-04-11").count == 1200)
    }

    @Test func `times cut the ledger exactly`() async throws {
        let clock = KeyedAnswersTests.SetClock()
        let fixture = try await LedgerFixture(now: { clock.now })
        for number in 0..<20 {
            try await fixture.fill(number % 3)
            clock.advance(10)
        }
        let all = try await fixture.texts().map { try LedgerRecord(canonicalBytes: Array($0.utf8)) }
        for from in stride(from: 995, to: 1210, by: 5) {
            for to in stride(from: 995, to: 1210, by: 15) {
                var filter = LedgerFilter()
                filter.from = Timestamp(nanoseconds: from)
                filter.to = Timestamp(nanoseconds: to)
                let found = try await LedgerQuery(fixture.database).newest(100, filter).map(\.record)
                #expect(found == all.filter { (from..<max(from, to)).contains($0.recordedAt.nanoseconds) })
            }
        }
    }

    @Test func `a follower sees what comes, once each`() async throws {
        let served = try await Served()
        try await served.fixture.fill(3)
        guard case .parts(_, let parts) = await served.resource.answer(path: "/forkless/v1/ledger", query: "limit=2&follow=true&function=pay")
        else { return #expect(Bool(false), "a follower gets parts") }
        var text = String(decoding: try await parts.next()!, as: UTF8.self)
        for round in 0..<3 {
            try await served.fixture.fill(1, function: "other")
            try await served.fixture.fill(2)
            text += String(decoding: try await parts.next()!, as: UTF8.self)
            #expect(text.split(separator: "\n").count == 4 + round * 2)
        }
        let task = Task { try await parts.next() }
        task.cancel()
        #expect(try await task.value == nil)
    }

    @Test(arguments: [
        ("ledger", "functon=x", "400 GET /forkless/v1/ledger: functon is no parameter"),
        ("ledger", "limit=-1", "limit=-1: expected a number from 0 to 10000"),
        ("ledger", "limit=1&limit=2", "limit is given 2 times"),
        ("ledger", "from=yesterday", "from=yesterday: expected a day"),
        ("ledger", "outcome=good", "expected one of success, function-error"),
        ("ledger", "follow=yes", "follow=yes: expected one of false, true"),
        ("ledger", "follow=true&to=2026-01-01", "exclude each other"), ("ledger", "function=%zz", "is not percent-encoded"),
        ("ledger", "function=%ff", "is not percent-encoded"), ("ledger/export", "format=xml", "expected one of json, csv"),
        ("ledger/verify", "noted=12", "expected SEQUENCE:HASH"), ("report", "by=function,function", "each at most once"),
        ("report", "from=2026-13-01", "expected a day"),
        ("ledger", "to=9999-12-31", "expected a day"), ("report", "to=9999-12-31", "expected a day"), ("nothing", "", "404"), ("ledger/", "", "404"),
    ])
    func `a request that is wrong is refused with a sentence`(_ page: String, _ query: String, _ expected: String) async throws {
        let answer = try await Served().get(page, query)
        #expect(answer.contains(expected), "\(answer)")
    }

    @Test func `a verification is answered, and read back`() async throws {
        let served = try await Self.served()
        let json = try JSONParser.parse(try await served.get("ledger/verify"))
        let verification = try LedgerVerification(json: json)
        #expect(verification == (try await served.fixture.verify()))
        #expect(verification.good == 1200)
        let noted = try JSONParser.parse(try await served.get("ledger/verify", "noted=1:" + String(repeating: "ab", count: 32)))
        let fault = try LedgerVerification(json: noted).fault
        #expect(fault?.kind == .rewritten)
        #expect(fault?.sequence == 1)
    }

    @Test func `an export is checked by ten lines of Python`() async throws {
        let served = try await Served()
        for call in [SampleCalls.plain(0), SampleCalls.full(), SampleCalls.plain(1)] { served.fixture.ledger.append(call) }
        let python = try #require(CommandRunner.find("python3"))
        let script = """
            import sys, json, hashlib
            before = "00" * 32
            for line in sys.stdin:
                one = json.loads(line)
                record = json.dumps(one["record"], separators=(",", ":"), ensure_ascii=False).encode()
                assert one["previous"] == before, line
                before = hashlib.sha256(bytes.fromhex(before) + record).hexdigest()
                assert one["hash"] == before, line
                print(one["record"]["sequence"])
            """
        let export = try await served.get("ledger/export")
        let outcome = try await CommandRunner.run([python, "-c", script], input: Array(export.utf8))
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        #expect(outcome.text == "1\n2\n3\n")
        let reader = "import sys, csv; rows = list(csv.DictReader(sys.stdin)); print(len(rows), repr(rows[1]['key']))"
        let csv = try await CommandRunner.run(
            [python, "-c", reader], input: Array(try await served.get("ledger/export", "format=csv").utf8),
            environment: ["PYTHONIOENCODING=utf-8", "PYTHONUTF8=1"])
        #expect(csv.text.hasPrefix("3 'key \"with\""), "\(csv.text)\(csv.errorText)")
    }

    @Test func `recorded calls come in order, with what was kept of them`() async throws {
        let served = try await Served()
        for number in 0..<1300 {
            var call = SampleCalls.plain(number)
            call.payloadDigest = ""
            if number % 2 == 0 { call.recordedPayload = Array("{\"n\":\(number)}".utf8) }
            if number == 4 { call.outcome = .replayed }
            served.fixture.ledger.append(call)
        }
        try await served.fixture.ledger.flush()
        var filter = LedgerFilter()
        filter.function = "pay"
        var payloads: [String] = []
        for try await recorded in LedgerQuery(served.fixture.database).recordedCalls(filter) {
            payloads.append(String(decoding: recorded.call.recordedPayload!, as: UTF8.self))
            #expect(recorded.call.recordedAnswer == nil)
        }
        #expect(payloads == stride(from: 0, to: 1300, by: 2).filter { $0 != 4 }.map { "{\"n\":\($0)}" })
    }
}
