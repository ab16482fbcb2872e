package import Engine
package import Images
package import Linux

/// Why a build has ended without an image.
package struct BuildFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var kind: NodeFailure.Kind
    /// What was tried, on what, why it failed, what to do.
    package var sentence: String
    /// Of the Dockerfile; nil: it is about no line of it.
    package var line: Int?

    package init(_ kind: NodeFailure.Kind, _ sentence: String, line: Int? = nil) {
        self.kind = kind
        self.sentence = sentence
        self.line = line
    }

    package init(_ error: DockerfileError) { self.init(.badRequest, error.reason, line: error.line) }
    package init(_ error: SystemError) { self.init(.system, error.description) }
    package init(_ error: IgnoreRules.Failure) { self.init(.badRequest, error.description) }
    package init(_ error: NodeFailure) { self.init(error.kind, error.message) }

    package init(_ error: ImageFailure) {
        switch error {
        case .unknownImage: self.init(.noImage, error.description)
        case .ambiguous, .name: self.init(.badRequest, error.description)
        default: self.init(.system, error.description)
        }
    }

    package init(_ error: ArchiveFailure) {
        switch error.reason {
        case .cancelled: self = .cancelled
        case .system: self.init(.system, error.description)
        case .damaged, .refused, .tooLarge: self.init(.badRequest, error.description)
        }
    }

    package static let cancelled = BuildFailure(.cancelled, "the build was cancelled")

    /// The same failure of the instruction in this line, unless it names one already.
    func at(line: Int) -> BuildFailure {
        var failure = self
        failure.line = failure.line ?? line
        return failure
    }

    package var description: String { sentence }

    /// With the file and line in front, as compilers write it.
    package func described(in file: String) -> String { line.map { "\(file):\($0): \(sentence)" } ?? sentence }
}

/// Runs a call of the kernel whose failure is the build's.
func building<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(BuildFailure) -> Value {
    do throws(SystemError) { return try body() } catch { throw BuildFailure(error) }
}
