package import JSON

/// What /version says (k8s.io/apimachinery version.Info): which Kubernetes is spoken, and by whom.
package struct ServerVersion: Hashable, Sendable {
    /// The version of Kubernetes whose kinds and defaults these are.
    package static let kubernetes = (major: 1, minor: 37, patch: 0)

    /// Of the program: "1.4.0".
    package var program: String
    /// The commit that it was built from; empty when unknown.
    package var commit: String
    /// RFC 3339; empty when unknown.
    package var buildDate: String
    /// "linux/amd64"
    package var platform: String

    package init(program: String, commit: String = "", buildDate: String = "", platform: String = "linux/amd64") {
        self.program = program
        self.commit = commit
        self.buildDate = buildDate
        self.platform = platform
    }

    /// As semantic versioning has it, the program behind the plus sign: "v1.37.0+forkless-1.4.0".
    package var gitVersion: String {
        let (major, minor, patch) = Self.kubernetes
        let own = program.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "-" }
        return "v\(major).\(minor).\(patch)+forkless-\(String(own))"
    }

    package var document: JSONValue {
        [
            "major": .string("\(Self.kubernetes.major)"), "minor": .string("\(Self.kubernetes.minor)"),
            "gitVersion": .string(gitVersion), "gitCommit": .string(commit), "gitTreeState": "clean",
            "buildDate": .string(buildDate), "goVersion": "none", "compiler": "swiftc", "platform": .string(platform),
        ]
    }
}
