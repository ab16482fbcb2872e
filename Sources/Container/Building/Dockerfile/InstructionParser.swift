/// Reads one instruction at a time.
struct InstructionParser {
    let escape: UInt8

    /// `FROM [--platform=P] BASE [AS NAME]`.
    func stage(_ line: LogicalLine, number: Int) throws(DockerfileError) -> Stage {
        let (flagWords, rest) = RawWords.flags(RawWords.first(line.text).rest, escape: escape)
        let flags = try InstructionFlags(flagWords, of: "FROM", allowed: ["platform"], line: line.number)
        let words = rest.split(whereSeparator: \.isDockerSpace).map(\.text)
        guard words.count == 1 || (words.count == 3 && words[1].lowercased() == "as") else {
            throw DockerfileError(line: line.number, "FROM is followed by an image, or by IMAGE AS NAME")
        }
        var name: String?
        if words.count == 3 {
            name = words[2].lowercased()
            guard Self.isStageName(words[2].lowercased()) else {
                throw DockerfileError(
                    line: line.number,
                    "\"\(words[2])\" is no stage name: a letter first, then letters, digits, \"_\", \"-\" and \".\"")
            }
        }
        return Stage(
            number: number, name: name, line: line.number, base: words[0], platform: flags["platform"], steps: [])
    }

    /// Any instruction but FROM.
    func step(_ line: LogicalLine) throws(DockerfileError) -> Step {
        let (command, rest) = RawWords.first(line.text)
        let name = command.text.uppercased()
        let reader = ArgumentReader(instruction: name, arguments: rest, line: line, escape: escape)
        return Step(line: line.number, text: line.text.text, instruction: try instruction(name, reader))
    }

    private func instruction(_ name: String, _ reader: ArgumentReader) throws(DockerfileError) -> Instruction {
        switch name {
        case "ARG": .argument(try reader.declarations())
        case "ENV": .environment(try reader.namedValues())
        case "LABEL": .label(try reader.namedValues())
        case "RUN": try reader.run()
        case "COPY": .copy(try reader.copy(flags: ["from", "chown", "chmod"], unpacks: false))
        case "ADD": .copy(try reader.add())
        case "WORKDIR": .workingDirectory(try reader.text())
        case "USER": .user(try reader.text())
        case "STOPSIGNAL": .stopSignal(try reader.text())
        case "EXPOSE": .expose(try reader.words())
        case "VOLUME": .volume(try reader.volumes())
        case "ENTRYPOINT": .entrypoint(try reader.command())
        case "CMD": .command(try reader.command())
        case "SHELL": .shell(try reader.shell())
        case "HEALTHCHECK": .healthCheck(try reader.healthCheck())
        case "MAINTAINER": throw reader.error("MAINTAINER is not supported: write LABEL maintainer=... instead")
        case "ONBUILD": throw reader.error("ONBUILD is not supported")
        default: throw reader.error("\"\(name)\" is no instruction that is known")
        }
    }

    /// BuildKit's `^[a-z][a-z0-9-_.]*$`.
    private static func isStageName(_ name: String) -> Bool {
        name.utf8.first?.beginsName == true && name.utf8.first != UInt8(ascii: "_")
            && name.utf8.allSatisfy {
                $0.beginsName || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            }
    }
}
