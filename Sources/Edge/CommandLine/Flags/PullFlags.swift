import ArgumentParser
import OCI

/// When an image is pulled before it is used: `--pull`.
enum PullPolicy: String, ExpressibleByArgument, CaseIterable {
    /// Each time; what the registry has now is used.
    case always
    /// Only when it is not here.
    case missing
    /// Not at all: an image that is not here is an error.
    case never
}

/// How a registry is spoken to.
struct RegistryFlags: ParsableArguments {
    @Option(
        name: .customLong("plain-http"),
        help: ArgumentHelp("Speak to this registry without TLS; can be given again.", valueName: "host[:port]"))
    var plainHosts: [String] = []
}

/// Which image of several is meant.
struct PlatformFlags: ParsableArguments {
    @Option(
        name: .customLong("platform"),
        help: ArgumentHelp("The image for this kind of machine, as in linux/arm64.", valueName: "os/arch[/variant]"))
    var name: String?

    func platform() throws(FlagError) -> Platform? {
        guard let name else { return nil }
        guard let platform = Platform(name) else {
            throw FlagError("--platform", name, "this is no platform", advice: "Write one such as linux/arm64.")
        }
        return platform
    }
}

/// An image's name among the arguments.
enum ImageWord {
    static func reference(_ text: String) throws -> Reference {
        do throws(ReferenceError) { return try Reference(text) } catch { throw CommandFailure("\(error)") }
    }
}
