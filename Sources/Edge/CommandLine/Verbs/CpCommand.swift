import ArgumentParser
import Engine
import Glibc
import Linux

/// `forkless cp`
struct CpCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copies files between a container and this machine.",
        discussion: """
            One of the two is CONTAINER:PATH. A directory is copied into one that is there, or becomes one that is not; \
            DIRECTORY/. is what is in it. "-" is a tar archive on standard input or output. Nothing runs in the container \
            for it.
            """)

    @Flag(name: [.customShort("a"), .customLong("archive")], help: "Keep users and groups.")
    var keepsOwners = false

    @Flag(name: [.customShort("L"), .customLong("follow-link")], help: "Follow a link at the end of the source.")
    var followsLink = false

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "CONTAINER:PATH, a path, or \"-\".") var source: String
    @Argument(help: "CONTAINER:PATH, a path, or \"-\".") var destination: String

    func run() async throws {
        switch (Self.container(source), Self.container(destination)) {
        case (let from?, nil):
            var request = CopyFromContainer(
                container: from.name, source: from.path, destination: nil, followsLink: followsLink)
            if destination == "-" {
                guard !Terminal.isTerminal(StandardStreams.output) else {
                    throw CommandFailure("cp: an archive is not for a terminal: write it to a file or a pipe")
                }
                _ = try await node.connect().call(request, descriptors: [StandardStreams.output])
                return
            }
            request.destination = try Self.absolute(destination)
            request.owner = keepsOwners ? nil : CopyOwner(user: UInt32(geteuid()), group: UInt32(getegid()))
            try await copy { client, root in _ = try await client.call(request, descriptors: [root]) }
        case (nil, let to?):
            var request = CopyToContainer(
                container: to.name, source: nil, destination: to.path, followsLink: followsLink,
                owner: keepsOwners || source == "-" ? nil : CopyOwner(user: 0, group: 0))
            if source == "-" {
                _ = try await node.connect().call(request, descriptors: [StandardStreams.input])
                return
            }
            request.source = try Self.absolute(source)
            let wish = request
            try await copy { client, root in _ = try await client.call(wish, descriptors: [root]) }
        case (nil, nil): throw CommandFailure("cp: must specify at least one container source: write CONTAINER:PATH")
        case (_?, _?): throw CommandFailure("cp: copying between containers is not supported")
        }
    }

    /// With our own "/", below which our paths are.
    private func copy(_ body: (NodeClient, CInt) async throws -> Void) async throws {
        let root = SharedFD(try Files.place("/"))
        defer { withExtendedLifetime(root) {} }
        let client = try await node.connect()
        try await body(client, root.raw)
    }

    /// "NAME:PATH", unless it is a path of ours that has a colon: those begin with "/" or ".".
    private static func container(_ text: String) -> (name: String, path: String)? {
        guard !text.hasPrefix("/"), !text.hasPrefix("."), text != "-", let colon = text.firstIndex(of: ":") else { return nil }
        let path = String(text[text.index(after: colon)...])
        // As with Docker, the slash may be left out.
        return (String(text[..<colon]), path.hasPrefix("/") ? path : "/" + path)
    }

    private static func absolute(_ path: String) throws -> String {
        guard !path.isEmpty else { throw CommandFailure("cp: a path is empty") }
        if path.hasPrefix("/") { return path }
        let here = try FlagSurroundings.ofThisProcess().workingDirectory
        return here == "/" ? "/" + path : here + "/" + path
    }
}
