import ArgumentParser
import Engine
import JSON
import Linux
import Registry

/// `forkless login`
struct LoginCommand: Verb {
    /// Longer than any password, shorter than what somebody pipes in by mistake.
    private static let passwordBytesLimit = 64 << 10

    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Keeps user and password of a registry, once it has accepted them.",
        discussion: """
            They are kept where Docker keeps them: with the credential helper that its config.json names, else in that \
            file ($DOCKER_CONFIG or ~/.docker). The password comes on standard input, so that it is in no list of \
            processes and in no shell's history.
            """)

    @Option(name: [.customShort("u"), .customLong("username")], help: ArgumentHelp("The user.", valueName: "name"))
    var user: String

    @Flag(name: .customLong("password-stdin"), help: "Read the password from standard input.")
    var readsPassword = false

    @OptionGroup var registry: RegistryFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: ArgumentHelp("The registry.", valueName: "host[:port]")) var host: String

    func run() async throws {
        guard readsPassword else {
            throw FlagError("--password-stdin", nil, "without it there is no way to give the password")
        }
        guard !user.isEmpty, !user.contains(":") else {
            throw FlagError("--username", user, "a user is some characters without a colon")
        }
        let password = try password()
        let access = RegistryAccess(
            plainHosts: registry.plainHosts, credentials: RegistryLogin(.password(user: user, password: password)))
        _ = try await node.connect().call(CheckRegistry(registry: host, access: access))
        let kept = try await DockerCredentials(directory: RegistryCredentials.directory())
            .store(.password(user: user, password: password), for: host)
        switch kept {
        case .helper(let program): try StandardStreams.write("Login succeeded; \(program) keeps the password\n")
        case .file(let path):
            try StandardStreams.write("Login succeeded; \(path) keeps the password, readable to who reads that file\n")
        }
    }

    /// Standard input without its last newline.
    private func password() throws -> String {
        var bytes = try Files.readAll(StandardStreams.input, limit: Self.passwordBytesLimit, name: "standard input")
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw FlagError("--password-stdin", nil, "standard input is empty") }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// `forkless logout`
struct LogoutCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forgets user and password of a registry.")

    @Argument(help: ArgumentHelp("The registry.", valueName: "host[:port]")) var host: String

    func run() async throws {
        switch try await DockerCredentials(directory: RegistryCredentials.directory()).erase(host) {
        case .helper(let program): try StandardStreams.write("\(program) has forgotten the credentials of \(host)\n")
        case .file(let path): try StandardStreams.write("\(path) has no credentials of \(host) any more\n")
        case nil: try StandardStreams.write("there are no credentials of \(host)\n")
        }
    }
}
