/// The `--name=value` words before an instruction's arguments. Every flag that an instruction does not take is an
/// error: none is skipped.
struct InstructionFlags {
    private let instruction: String
    private let line: Int
    private var values: [String: String] = [:]

    init(_ words: [[UInt8]], of instruction: String, allowed: Set<String>, line: Int) throws(DockerfileError) {
        self.instruction = instruction
        self.line = line
        for word in words {
            let text = word.dropFirst(2).text
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard allowed.contains(name) else {
                let names = allowed.sorted().map { "--" + $0 }.joined(separator: ", ")
                let known = "it takes \(allowed.isEmpty ? "none" : names)"
                throw DockerfileError(line: line, "\(instruction) --\(name) is not supported: \(known)")
            }
            guard parts.count == 2, !parts[1].isEmpty else {
                throw DockerfileError(line: line, "\(instruction) --\(name) needs a value: --\(name)=...")
            }
            guard values.updateValue(String(parts[1]), forKey: name) == nil else {
                throw DockerfileError(line: line, "\(instruction) --\(name) is given twice")
            }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// Nanoseconds. Docker takes none below a millisecond but 0, which stands for the default.
    func duration(_ name: String) throws(DockerfileError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let value = GoDuration.nanoseconds(text), value == 0 || value >= 1_000_000 else {
            throw DockerfileError(
                line: line, "\(instruction) --\(name)=\(text): not a duration of at least 1ms, as in 30s or 1m30s")
        }
        return value == 0 ? nil : value
    }

    func count(_ name: String) throws(DockerfileError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let value = Int(text), value >= 0, value <= Int(Int32.max) else {
            throw DockerfileError(line: line, "\(instruction) --\(name)=\(text): not a number of 0 or more")
        }
        return value == 0 ? nil : value
    }
}
