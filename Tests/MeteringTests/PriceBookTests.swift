import JSON
import Metering
import TestKit
import Testing

/// Prices are exact, and a book that is wrong says where.
struct PriceBookTests {
    @Test(arguments: [
        ("0", 0), ("0.0000002", 200_000), ("2e-7", 200_000), ("2E-7", 200_000), ("0.0000166667", 16_666_700), ("1", 1_000_000_000_000),
        ("0.000000000001", 1), ("1.50000000000000000000000", 1_500_000_000_000), ("1000000", 1_000_000_000_000_000_000),
        ("00.10", 100_000_000_000), ("0e99", 0), ("10e5", 1_000_000_000_000_000_000),
    ])
    func `a price is read exactly`(_ text: String, _ picos: Int) { #expect(Price(text)?.picos == picos) }

    @Test(arguments: [
        "", "-1", "+1", ".5", "5.", "1,5", "0x10", "1e", "e5", "1.2.3", "0.0000000000001", "1000001", "1e7", "1e101", "nan", " 1", "1e-13",
        "99999999999999999999", "1e1e1", "١",
    ])
    func `what is no price is refused`(_ text: String) { #expect(Price(text) == nil) }

    @Test func `a book is read as it is written`() throws {
        #expect(try PriceBook(JSONWriter.bytes(PriceBook.aws.json)) == .aws)
        let numbers = """
            {"name":"own","source":"us","currency":"EUR","perRequest":0.0000001,"perGBSecond":1e-5,"perProvisionedGBSecond":0,
             "perProvisionedDurationGBSecond":"0","perEphemeralGBSecond":"0.5"}
            """
        let book = try PriceBook(Array(numbers.utf8))
        #expect(book.perGBSecond.picos == 10_000_000)
        #expect(book.perRequest.description == "0.0000001")
    }

    @Test(arguments: [
        (#""perRequest":"0.0000002""#, #""perRequest":"cheap""#, "perRequest: \"cheap\" is no price"),
        (#""perRequest":"0.0000002""#, #""perRequest":-1"#, "perRequest: \"-1\" is no price"),
        (#""perRequest":"0.0000002""#, #""perRequest":[]"#, "perRequest: expected a price"),
        (#""perRequest":"0.0000002","#, "", "perRequest: expected"),
        (#""currency":"USD""#, #""currency":"dollars""#, "currency: expected three capital letters"),
        (#""currency":"USD""#, #""currency":"USD","perCall":"1""#, "perCall: not a known field"),
        (#""name""#, "name", "line 1"),
    ])
    func `a book that is wrong names the member`(_ old: String, _ new: String, _ expected: String) {
        let text = JSONWriter.text(PriceBook.aws.json).replacing(old, with: new)
        let error = #expect(throws: PriceBookError.self) { try PriceBook(Array(text.utf8)) }
        #expect(error?.sentence.contains(expected) == true, "\(String(describing: error))")
    }

    @Test func `the book of a node is the one it was told, its own, or that of AWS`() throws {
        let directory = try TemporaryDirectory("prices")
        #expect(try PriceBook.chosen(nil, state: directory.path) == .aws)
        var own = PriceBook.aws
        own.name = "own"
        try directory.write(JSONWriter.text(own.json), to: "functions/prices.json")
        #expect(try PriceBook.chosen(nil, state: directory.path).name == "own")
        let told = try directory.write("{}", to: "told.json")
        let error = #expect(throws: PriceBookError.self) { try PriceBook.chosen(told, state: directory.path) }
        #expect(error?.sentence.contains(told) == true)
        #expect(throws: PriceBookError.self) { try PriceBook.chosen(directory.path("nowhere"), state: directory.path) }
    }

    @Test func `no bytes at all make the parser trap`() {
        var chance = SeededChance(seed: 9)
        let original = JSONWriter.bytes(PriceBook.aws.json)
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                let at = Int.random(in: 0..<bytes.count, using: &chance)
                bytes[at] = Bool.random(using: &chance) ? UInt8.random(in: .min ... .max, using: &chance) : Array("0123456789.eE-".utf8).randomElement(using: &chance)!
            }
            if let book = try? PriceBook(bytes) { #expect(book.currency.count == 3, "\(chance)") }
        }
    }

    /// The price per GB second as AWS prints it, times what it is for.
    @Test func `a million calls of 100 ms with 1 GB cost what AWS asks`() {
        var totals = CallTotals()
        totals.runs = 1_000_000
        totals.demandMegabyteMilliseconds = 1_000_000 * 100 * 1024
        #expect(PriceBook.aws.cost(of: totals).text == "1.866670000")
    }

    @Test func `every quantity has its price, and absurd ones do not trap`() {
        let second = 1024 * 1000
        for (path, text) in [
            (\CallTotals.runs, "0.000000200"), (\.demandMegabyteMilliseconds, "0.000016667"),
            (\.capacityMegabyteMilliseconds, "0.000004167"), (\.provisionedMegabyteMilliseconds, "0.000009722"),
            (\.ephemeralMegabyteMilliseconds, "0.000000031"),
        ] as [(WritableKeyPath<CallTotals, Int>, String)] {
            var totals = CallTotals()
            totals[keyPath: path] = path == \.runs ? 1 : second
            #expect(PriceBook.aws.cost(of: totals).text == text)
            totals[keyPath: path] = .max
            #expect(!PriceBook.aws.cost(of: totals).text.isEmpty)
        }
    }
}
