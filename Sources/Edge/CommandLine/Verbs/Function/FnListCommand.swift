import ArgumentParser
import Comparison
import Deploying
import JSON

/// `forkless fn list`
struct FnListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists functions with what their instances do.", aliases: ["ls"])

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the names.")
    var isQuiet = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        try await withLambda(node) { client in
            let functions = try await client.list(LambdaPaths.functions, "Functions")
            if isQuiet {
                let names = functions.compactMap { $0["FunctionName"]?.string }
                switch output.output {
                case .json: try StandardStreams.write(.array(names.map { .string($0) }))
                case .text: try StandardStreams.write(names.map { $0 + "\n" }.joined())
                }
                return
            }
            let pools = try await client.call(.page("pools"))
            switch output.output {
            case .json: try StandardStreams.write(["Functions": .array(functions), "Pools": pools["Pools"] ?? []])
            case .text:
                let listing = FunctionListing(functions: functions, pools: pools["Pools"]?.array ?? []).listing
                try StandardStreams.write(listing.text(width: StandardStreams.width))
            }
        }
    }
}

/// Functions as rows. What instances do is summed over the versions of a function.
struct FunctionListing {
    var functions: [JSONValue]
    /// `Pools` of /forkless/v1/pools.
    var pools: [JSONValue]

    var listing: Listing {
        Listing(
            columns: [
                .init("NAME"), .init("RUNTIME"), .init("HANDLER"), .init("MEMORY", .right), .init("IDLE", .right), .init("BUSY", .right),
                .init("CALLS", .right), .init("STARTED", .right), .init("MODIFIED"),
            ],
            rows: functions.map { row($0) })
    }

    private func row(_ function: JSONValue) -> [String] {
        let name = function["FunctionName"]?.string ?? ""
        let own = pools.filter { $0["FunctionName"]?.string == name }
        func sum(_ key: String) -> String { FloatingText.grouped(own.reduce(0) { $0 + Int($1[key]?.integer ?? 0) }) }
        let runtime = function["Runtime"]?.string ?? (function["PackageType"]?.string == "Image" ? "image" : "")
        return [
            name, runtime, Shortened.text(function["Handler"]?.string ?? "", to: 32), "\(function["MemorySize"]?.integer ?? 0) MiB",
            sum("Idle"), sum("Busy"), sum("Calls"), sum("Launched"), Self.time(function["LastModified"]?.string ?? ""),
        ]
    }

    /// "2026-11-29 04:12:17" of "2026-11-29T04:12:17.000+0000".
    private static func time(_ text: String) -> String { String(text.prefix(19)).replacing("T", with: " ") }
}
