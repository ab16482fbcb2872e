import Linux
import TestKit
import Testing

/// The sessions of the README, typed into a shell.
@Suite(.serialized, .enabled(if: isRoot)) struct ReadmeTests {
    /// One command of a session and what stands below it.
    struct Step {
        var command: String
        var output: String
    }

    /// The indented lines below a heading: those after "$ " are commands, with what a here document adds to them, the
    /// others what they print.
    static func session(below heading: String, of text: String) -> [Step] {
        guard let start = text.firstRange(of: "\n## \(heading)\n") else { return [] }
        let rest = text[start.upperBound...]
        let section = rest.firstRange(of: "\n## ").map { rest[..<$0.lowerBound] } ?? rest
        var steps: [Step] = []
        var isInDocument = false
        for line in section.split(separator: "\n") where line.hasPrefix("    ") {
            let line = line.dropFirst(4)
            if isInDocument {
                steps[steps.count - 1].command += "\n" + line
                isInDocument = line != "END"
            } else if line.hasPrefix("$ ") {
                steps.append(Step(command: String(line.dropFirst(2)), output: ""))
                isInDocument = line.hasSuffix("<<'END'")
            } else if !steps.isEmpty {
                steps[steps.count - 1].output += line + "\n"
            }
        }
        return steps
    }

    /// What differs from run to run, replaced by a word: ids, times, numbers of processes, shares of the processor,
    /// sizes of files of the machine, and the widths of columns that follow from them.
    static func comparable(_ text: String) -> [String] {
        text.split(separator: "\n").map { line -> String in
            String(line).replacing(#/[0-9a-f]{64}/#, with: "ID").replacing(#/\b[0-9a-f]{12}\b/#, with: "ID")
                .replacing(#/(Less than a second|About a minute|[0-9]+ (seconds?|minutes?))/#, with: "TIME")
                .replacing(#/\b[0-9.,]+ ?(ms|µs|s|[kKM]?i?B)\b/#, with: "AMOUNT")
                .replacing(#/\b0\.[0-9]+\b/#, with: "FRACTION").replacing(#/\b[0-9]{2}:[0-9]{2}\b/#, with: "CLOCK").replacing(#/\b[0-9]{3,}\b/#, with: "NUMBER")
                .replacing(#/\b[0-9]{1,2} +CLOCK\b/#, with: "SHARE CLOCK")
                .replacing(#/[─ \t]+/#, with: " ")
        }
    }

    @Test(arguments: ["Containers", "Functions", "Services"])
    func `a session works as the README prints it`(heading: String) async throws {
        let readme = try Files.readText("\(try Self.repository())/README.md")
        let steps = Self.session(below: heading, of: readme)
        try #require(steps.count > 7)
        let forkless = try TestForkless()
        try Files.makeDirectories(forkless.path("work"))
        let executables = forkless.executable.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        let clients = heading == "Services" ? try await PythonEnvironment.kubernetes().directory + "/bin:" : ""
        // In a network namespace of its own: the session makes a bridge and publishes a port.
        var script = "cd '\(forkless.path("work"))' && ip link set lo up && forkless node --detach >/dev/null || exit 99\n"
        // Who types is slower than a server that has just been started: it may not listen yet.
        script += "curl() { command curl --retry 30 --retry-delay 1 --retry-all-errors --connect-timeout 2 \"$@\"; }\n"
        // Nor is the node's object there at once: controllers make it a moment after the API serves.
        if heading == "Services" {
            script +=
                "forkless kubeconfig >first && until KUBECONFIG=$PWD/first kubectl get nodes 2>/dev/null | grep -q ' Ready '; "
                + "do sleep 0.1; done; rm first\n"
        }
        for step in steps { script += "echo '~~~'\n\(step.command)\n" }
        script += "echo '~~~'\n"
        try await forkless.endingNode {
            let outcome = try await CommandRunner.run(
                ["unshare", "-n", "bash", "-c", "{ \(script) } 2>&1"],
                environment: forkless.environment.filter { !$0.hasPrefix("PATH=") && !$0.hasPrefix("HOME=") }
                    + ["PATH=\(executables):\(clients)/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(forkless.path("home"))"],
                within: .seconds(300))
            let outputs = outcome.text.split(separator: "~~~\n", omittingEmptySubsequences: false).dropFirst().dropLast()
            try #require(outputs.count == steps.count, "\(outcome.text)")
            for (step, output) in zip(steps, outputs) {
                #expect(Self.comparable(String(output)) == Self.comparable(step.output), "$ \(step.command)\n\(output)")
            }
        }
    }

    @Test func `a session is read with its here documents`() {
        let text = "# A\n\n## B\n\nWords.\n\n    $ cat <<'END'\n    x\n    END\n    x\n\n    $ true\n\n## C\n    $ false\n"
        let steps = Self.session(below: "B", of: text)
        #expect(steps.map(\.command) == ["cat <<'END'\nx\nEND", "true"])
        #expect(steps.map(\.output) == ["x\n", ""])
    }

    private static func repository() throws -> String {
        var directory = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        directory.removeLast(3)
        return directory.joined(separator: "/")
    }
}
