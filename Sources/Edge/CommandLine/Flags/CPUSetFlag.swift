/// `--cpuset-cpus 0-2,5`: the list format of cpuset(7).
enum CPUSetFlag {
    /// The highest processor number that the kernel can be built for (CONFIG_NR_CPUS on x86).
    private static let highest = 8191

    /// The numbers, ascending.
    static func parse(_ text: String) throws(FlagError) -> [Int] {
        let flag = "--cpuset-cpus"
        var numbers: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { digits in
                digits.allSatisfy { $0.isASCII && $0.isNumber } ? Int(digits) : nil
            }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else {
                throw FlagError(flag, text, "\"\(part)\" is neither a number nor a range", advice: "Write 0-2,5.")
            }
            guard first <= last, last <= highest else {
                throw FlagError(
                    flag, text, first > last ? "\"\(part)\" ends before it starts" : "there is no processor \(last)")
            }
            numbers.formUnion(first...last)
        }
        return numbers.sorted()
    }

    /// The numbers as the kernel writes them, "0-2,5".
    static func list(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}
