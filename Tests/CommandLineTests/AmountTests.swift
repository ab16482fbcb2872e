import Testing

@testable import CommandLine

@Suite struct AmountTests {
    private static let memory: [(String, Int)] = [
        ("0", 0), ("512", 512), ("1b", 1), ("2k", 2048), ("512m", 536870912), ("1g", 1073741824), ("1G", 1073741824),
        ("1gb", 1073741824), ("1GiB", 1073741824), ("1.5g", 1610612736), ("0.5k", 512), ("3t", 3298534883328), ("1p", 1125899906842624),
        ("32 mb", 33554432),
    ]

    @Test(arguments: memory)
    func `memory is read as Docker reads it`(text: String, bytes: Int) { #expect(ByteAmount.parse(text) == bytes) }

    @Test(arguments: [
        "", "m", "-1", "1x", "1mm", "1.g", ".5g", "1ib", "1e3", "1 2", "0x10", "9223372036854775808", "8192p", "١m",
    ])
    func `what is no amount of memory is refused`(text: String) { #expect(ByteAmount.parse(text) == nil) }

    @Test(arguments: [("1", 1000), ("1.5", 1500), ("0.125", 125), (".5", 500), ("2.", 2000), ("1.5000", 1500), ("64", 64000)])
    func `processors are counted in thousandths`(text: String, thousandths: Int) {
        #expect(CPUAmount.parse(text) == thousandths)
    }

    @Test(arguments: ["", ".", "0", "0.0", "-1", "1,5", "1.0005", "1.2.3", "two", "1000001", "99999999999999999999"])
    func `what is no amount of CPU is refused, never rounded`(text: String) { #expect(CPUAmount.parse(text) == nil) }

    @Test func `an amount's error names the flag, the value and what to write`() {
        let error = #expect(throws: FlagError.self) { try ByteAmount.parse("12x", flag: "--memory") }
        #expect(error?.description == "--memory 12x: not an amount of memory. Write a number and a unit: 512m, 2g, 1.5GiB.")
    }

    @Test(arguments: [("0", [0]), ("0-2,5", [0, 1, 2, 5]), ("5,0-1,1", [0, 1, 5])])
    func `sets of processors are lists of numbers and ranges`(text: String, numbers: [Int]) throws {
        #expect(try CPUSetFlag.parse(text) == numbers)
    }

    @Test(arguments: ["", "a", "1-", "-1", "2-1", "0-9000", "1,,2", "0-1-2"])
    func `what is no set of processors is refused`(text: String) {
        #expect(throws: FlagError.self) { try CPUSetFlag.parse(text) }
    }

    @Test(arguments: [([0], "0"), ([0, 1, 2, 5], "0-2,5"), ([0, 2, 3], "0,2-3"), ([], "")])
    func `a set of processors is written as the kernel does`(numbers: [Int], text: String) {
        #expect(CPUSetFlag.list(numbers) == text)
    }
}
