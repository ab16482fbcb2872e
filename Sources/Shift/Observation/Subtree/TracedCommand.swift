import Glibc
package import Linux

/// A command as it is to be started: its program found, its arguments and environment as bytes.
package struct TracedCommand: Hashable, Sendable {
    package var path: String
    package var arguments: [String]
    /// As "NAME=VALUE".
    package var environment: [[UInt8]]

    /// Why there is nothing to start.
    package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        case notFound(String, path: String)
        case notExecutable(String, Errno)
        case badArgument(String)

        package var description: String {
            switch self {
            case .notFound(let name, let path):
                name.contains("/")
                    ? "start \(name): there is no such file"
                    : "start \(name): no executable file of that name is in the directories of PATH, which is \"\(path)\""
            case .notExecutable(let path, let code): "start \(path): \(code)"
            case .badArgument(let text): "start a program: the argument \"\(text)\" holds a NUL, which no argument can"
            }
        }
    }

    /// Finds the program as a shell would.
    ///
    /// - Parameter words: the program and its arguments, at least one.
    package init(_ words: [String], environment: [[UInt8]]) throws(Failure) {
        guard let program = words.first else { preconditionFailure("a command has a program") }
        if let bad = words.first(where: { $0.utf8.contains(0) }) { throw .badArgument(bad) }
        let prefix = Array("PATH=".utf8)
        let search = environment.first { $0.starts(with: prefix) }.map {
            String(decoding: $0.dropFirst(5), as: UTF8.self)
        }
        path = try Self.find(program, search: search ?? "/bin:/usr/bin")
        arguments = words
        self.environment = environment
    }

    private static func find(_ program: String, search: String) throws(Failure) -> String {
        guard !program.contains("/") else {
            guard Files.exists(program) else { throw .notFound(program, path: search) }
            guard Files.isExecutableFile(program) else { throw .notExecutable(program, .accessDenied) }
            return program
        }
        guard !program.isEmpty else { throw .notFound(program, path: search) }
        for directory in search.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = directory.isEmpty ? program : "\(directory)/\(program)"
            if Files.isExecutableFile(candidate) { return candidate.contains("/") ? candidate : "./" + candidate }
        }
        throw .notFound(program, path: search)
    }
}
