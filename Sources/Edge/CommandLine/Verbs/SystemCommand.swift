import ArgumentParser
import Comparison
import Engine
import JSON

/// `forkless system`
struct SystemCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Shows what is on the disk, and clears it away.",
        subcommands: [SystemDfCommand.self, SystemPruneCommand.self])
}

/// `forkless system df`
struct SystemDfCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "df", abstract: "Shows what images and containers take on the disk.",
        discussion: "The sizes are those of du: what is allocated, each file once.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let answer = try await node.connect().call(GetDiskUsage())
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text: try StandardStreams.write(DiskUsageListing(parts: answer.parts).listing.text(width: StandardStreams.width))
        }
    }
}

/// `system df`: sorts of things as rows.
struct DiskUsageListing {
    var parts: [NodeDiskUsage.Part]

    private static let titles = [
        "images": "Images", "containers": "Containers", "volumes": "Local Volumes", "buildCache": "Build Cache",
    ]

    var listing: Listing {
        Listing(
            columns: [
                .init("TYPE"), .init("TOTAL"), .init("ACTIVE"), .init("SIZE"), .init("RECLAIMABLE"),
            ],
            rows: parts.map { part in
                let share = part.bytes > 0 ? " (\(part.reclaimableBytes * 100 / part.bytes)%)" : ""
                return [
                    Self.titles[part.name] ?? part.name, "\(part.total)", "\(part.active)", DecimalSize.text(part.bytes),
                    DecimalSize.text(part.reclaimableBytes) + share,
                ]
            })
    }
}
