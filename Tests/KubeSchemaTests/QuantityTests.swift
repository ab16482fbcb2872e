import TestKit
import Testing

@testable import KubeSchema

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", "0"), ("0Gi", "0"), ("1", "1"), ("1000", "1k"), ("1024", "1024"), ("1024Mi", "1Gi"), ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"), ("0.5", "500m"), ("100m", "100m"), ("1000m", "1"), ("1500m", "1500m"), ("0.1", "100m"),
        ("12e6", "12e6"), ("1.2E3", "1200"), ("1e3", "1e3"), ("0.5Ki", "512"), ("0.5Mi", "512Ki"), ("100Ki", "100Ki"),
        ("1000Ki", "1000Ki"),
        ("0.0001Ki", "102400u"), ("1n", "1n"), ("0.1n", "1n"), ("-0.1n", "-1n"), ("1.1n", "2n"), ("1E", "1E"),
        ("1000E", "1000E"),
        ("-1Gi", "-1Gi"), ("+2", "2"), ("1.G", "1G"), (".5", "500m"), ("9Ei", "9223372036854775807"), ("1.5Ki", "1536"),
        ("1e-20", "1e-9"), ("123456789012345678901234567890n", "123456789012345678901234567890n"), ("00100", "100"),
        ("1100m", "1100m"),
    ])
    func `a quantity is written in its canonical form`(_ text: String, _ canonical: String) throws {
        #expect(try Quantity(text).description == canonical)
    }

    @Test(arguments: [
        ("", QuantityError.format), ("abc", .format), ("1x", .format), ("1.2.3", .format), ("1 ", .format),
        (" 1", .format), ("1ki", .suffix),
        ("1KiB", .format), ("1mm", .suffix), ("1e", .suffix), ("1e400", .number), ("--1", .suffix), ("1Ki1", .suffix),
        ("NaN", .format), ("1e99999999999999999999", .suffix),
    ])
    func `a text that is no quantity says why`(_ text: String, _ error: QuantityError) {
        #expect(throws: error) { try Quantity(text) }
    }

    @Test func `sums and order are those of numbers`() throws {
        #expect(try Quantity("1Ki") == Quantity("1024") && Quantity("999m") < Quantity("1") && Quantity("-1") < .zero)
        #expect(try (Quantity("1Gi") + Quantity("512Mi")).description == "1536Mi")
        #expect(try (Quantity("1") - Quantity("100m")).description == "900m")
        #expect(try (Quantity.zero + Quantity("2Ki")).description == "2Ki")
        #expect(
            try Quantity("100m").value == 1 && Quantity("1500m").milliValue == 1500 && Quantity("-100m").value == -1)
        #expect(try Quantity("1000E").value == Int64.max)
        var chance = SeededChance(seed: 5)
        for _ in 0..<1000 {
            let (a, b) = (
                Int64.random(in: -1_000_000_000...1_000_000_000, using: &chance),
                Int64.random(in: -1_000_000...1_000_000, using: &chance)
            )
            let (x, y) = (try Quantity("\(a)m"), try Quantity("\(b)m"))
            #expect(
                (x + y).milliValue == a + b && (x - y).milliValue == a - b && (x < y) == (a < b), "\(a) \(b) \(chance)")
        }
    }

    @Test func `the canonical form is a fixed point`() throws {
        var chance = SeededChance(seed: 6)
        let suffixes = [
            "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3", "e-3", "E5",
            "e9",
        ]
        for _ in 0..<5000 {
            let digits = String(Int.random(in: 0..<100_000, using: &chance))
            let fraction = Bool.random(using: &chance) ? "." + String(Int.random(in: 0..<10_000, using: &chance)) : ""
            let text =
                (Bool.random(using: &chance) ? "-" : "") + digits + fraction + suffixes.randomElement(using: &chance)!
            let quantity = try Quantity(text)
            let again = try Quantity(quantity.description)
            #expect(again == quantity && again.description == quantity.description, "\(text) \(chance)")
        }
    }

    @Test func `no text traps, and what reads is written`() {
        var chance = SeededChance(seed: 7)
        let letters = Array("0123456789.+-eEinumkKMGTP x")
        for _ in 0..<20000 {
            let text = String(
                (0..<Int.random(in: 0..<45, using: &chance)).map { _ in letters.randomElement(using: &chance)! })
            guard let quantity = try? Quantity(text) else { continue }
            #expect(!quantity.description.isEmpty, "\(text) \(chance)")
            _ = (quantity.value, quantity.milliValue, quantity + quantity, quantity - quantity)
        }
    }
}
