import Building
import Engine
import OCI

/// `--change`: instructions of a Dockerfile that change what an image proposes.
enum ConfigChanges {
    /// Docker's list for `commit` and `import`.
    private static let allowed: Set<String> = [
        "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ]

    /// - Throws: `badRequest` that names the change.
    static func apply(_ changes: [String], to defaults: ImageDefaults) throws(NodeFailure) -> ImageDefaults {
        guard !changes.isEmpty else { return defaults }
        var evaluation = StageEvaluation(on: defaults, given: [:], globals: [:], escape: UInt8(ascii: "\\"))
        for change in changes {
            let word = change.prefix { !$0.isWhitespace }.uppercased()
            guard allowed.contains(word) else {
                throw NodeFailure(
                    .badRequest, "--change \"\(change)\": \(word.isEmpty ? "it" : word) changes no config; possible are "
                        + allowed.sorted().joined(separator: ", "))
            }
            do throws(DockerfileError) {
                let steps = try Dockerfile(parsing: Array("FROM scratch\n\(change)\n".utf8)).stages[0].steps
                guard steps.count == 1 else {
                    throw DockerfileError(line: 2, "write one instruction in each --change")
                }
                _ = try evaluation.apply(steps[0])
            } catch { throw NodeFailure(.badRequest, "--change \"\(change)\": \(error.reason)") }
        }
        return evaluation.defaults
    }
}
