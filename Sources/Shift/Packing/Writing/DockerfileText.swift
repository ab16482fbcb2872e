/// The Dockerfile that a person keeps: what `forkless pack` found out, in the words of Debian.
///
/// Packages come from the distribution, in the versions that are installed here, so that the next build may raise them;
/// everything else is copied from `files/` beside it.
package struct DockerfileText: Sendable {
    private let program: PackedProgram
    /// "debian:bookworm-slim"; nil: everything is in `files/`.
    private let base: String?

    package init(_ program: PackedProgram, release: String?) {
        self.program = program
        base = program.packages.isEmpty ? nil : release.map { "debian:\($0)-slim" } ?? "debian:stable-slim"
    }

    package var text: String {
        var lines = [
            "# \(QuotedWord.comment(program.program)), as `forkless pack` found it. docker build -t \(QuotedWord.comment(program.image)) ."
        ]
        lines.append("FROM \(base ?? "scratch")")
        if base != nil { lines += packageLines }
        if base == nil || !program.exactFiles.isEmpty || !program.exactLinks.isEmpty { lines.append("COPY files/ /") }
        for entry in program.environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            lines.append("ENV \(parts[0])=\(QuotedWord.text(parts.count > 1 ? parts[1] : "").replacingDollars)")
        }
        lines.append("WORKDIR \(program.workingDirectory.replacingDollars)")
        for path in program.state {
            lines.append("# It changes \(QuotedWord.comment(path)): bind it or give it a volume.")
        }
        if let uid = program.uid { lines.append("USER \(uid)") }
        lines.append("ENTRYPOINT \(QuotedWord.list([program.program]))")
        if !program.arguments.isEmpty { lines.append("CMD \(QuotedWord.list(program.arguments))") }
        return lines.map { $0 + "\n" }.joined()
    }

    private var packageLines: [String] {
        let words = program.packages.map { "\($0.name)=\($0.version)" }
        return ["RUN apt-get update \\", " && apt-get install -y --no-install-recommends \\"]
            + words.map { "        \($0) \\" } + [" && rm -rf /var/lib/apt/lists/*"]
    }
}

extension String {
    /// Dockerfiles replace variables in ENV and WORKDIR.
    fileprivate var replacingDollars: String {
        split(separator: "$", omittingEmptySubsequences: false).joined(separator: "\\$")
    }
}
