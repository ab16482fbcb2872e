/// A Dockerfile, read: global arguments and stages; nothing expanded, nothing looked up.
///
/// Invariants
/// 1. Any bytes give a Dockerfile or a `DockerfileError`; none trap. (test: `no bytes make the parser trap`)
/// 2. An instruction, flag or directive that is not supported is an error with its line.
///    (test: `what is not supported is refused with its line`)
package struct Dockerfile: Hashable, Sendable {
    /// Bytes. Docker's is 1 MiB for what it sends to its front end, too.
    package static let sizeLimit = 1 << 20

    /// `\` or a backquote.
    package var escape: UInt8
    /// ARG before the first FROM, in order.
    package var globalArguments: [Step]
    /// At least one.
    package var stages: [Stage]

    /// Reads a Dockerfile.
    package init(parsing bytes: [UInt8]) throws(DockerfileError) {
        guard bytes.count <= Self.sizeLimit else {
            throw DockerfileError(line: 1, "the file has \(bytes.count) bytes, more than \(Self.sizeLimit)")
        }
        let lines = try LogicalLines(bytes)
        escape = lines.escape
        globalArguments = []
        stages = []
        let parser = InstructionParser(escape: lines.escape)
        for line in lines.lines { try add(line, parser) }
        guard !stages.isEmpty else { throw DockerfileError(line: 1, "the file has no FROM: it says nothing to build") }
    }

    private mutating func add(_ line: LogicalLine, _ parser: InstructionParser) throws(DockerfileError) {
        if RawWords.first(line.text).word.text.uppercased() == "FROM" {
            let stage = try parser.stage(line, number: stages.count)
            if let name = stage.name, let other = stages.first(where: { $0.name == name }) {
                throw DockerfileError(line: line.number, "the stage name \(name) is taken by line \(other.line)")
            }
            stages.append(stage)
            return
        }
        let step = try parser.step(line)
        if stages.isEmpty {
            guard case .argument = step.instruction else {
                throw DockerfileError(line: line.number, "only ARG may stand before the first FROM")
            }
            globalArguments.append(step)
        } else {
            stages[stages.endIndex - 1].steps.append(step)
        }
    }
}
