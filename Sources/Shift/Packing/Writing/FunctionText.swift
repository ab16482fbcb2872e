import Planning

/// The definition of a function that runs the unchanged program: standard input is the event, standard output the answer.
///
/// `forkless fn deploy --template` takes it. The program is that of the machine where a package brought it, and otherwise
/// the file in `code/` beside the template.
package struct FunctionText: Sendable {
    private let program: PackedProgram
    /// Whether `code/` has the program itself.
    package let carriesProgram: Bool

    package init(_ program: PackedProgram) {
        self.program = program
        carriesProgram = program.exactFiles.contains(program.program)
    }

    package var text: String {
        let word = carriesProgram ? "/var/task/\(program.baseName)" : program.program
        let handler = ([word] + program.arguments).map(Self.shellWord).joined(separator: " ")
        var lines = [
            "# \(QuotedWord.comment(program.program)) as a function: forkless fn deploy --template template.yaml"
        ]
        if let standby = program.plan?.blockers(of: .standby), !standby.isEmpty {
            lines += standby.map { "# Mind: \(QuotedWord.comment($0.sentence))." }
        }
        lines += ["AWSTemplateFormatVersion: \"2010-09-09\"", "Transform: AWS::Serverless-2016-10-31", "Resources:"]
        lines += ["  Program:", "    Type: AWS::Serverless::Function", "    Properties:"]
        lines += ["      FunctionName: \(program.plainName)", "      Runtime: forkless.stdio"]
        lines += ["      Handler: \(QuotedWord.text(handler))", "      CodeUri: code"]
        lines += ["      MemorySize: \(memoryMB)", "      Timeout: \(timeoutSeconds)"]
        return lines.map { $0 + "\n" }.joined()
    }

    /// Four times what was seen, and at least what Lambda gives; it says how much processor there is as well.
    private var memoryMB: Int { min(10240, max(128, ((program.peakMemoryBytes ?? 0) * 4) >> 20)) }

    /// Ten times the longest call that was seen, from 3 seconds to Lambda's 15 minutes.
    private var timeoutSeconds: Int { min(900, max(3, (program.longestNanoseconds ?? 0) / 100_000_000)) }

    /// Quoted where the handler's words would not hold together otherwise.
    private static func shellWord(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy { scalar in
            ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || "/._-=+:,@%".unicodeScalars.contains(scalar)
        }
        if plain, !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
