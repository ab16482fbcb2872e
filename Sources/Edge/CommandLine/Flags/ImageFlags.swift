import ArgumentParser
import Engine

/// The flags of verbs that make a container of an image.
struct ImageFlags: ParsableArguments {
    @Option(
        name: .customLong("entrypoint"),
        help: ArgumentHelp("Run this instead of the image's entrypoint and command; \"\" for none.", valueName: "program"))
    var entrypoint: String?

    @Option(name: .customLong("pull"), help: ArgumentHelp("When to pull the image: always, missing (default), never.", valueName: "policy"))
    var pull: PullPolicy?

    @OptionGroup var platform: PlatformFlags
    @OptionGroup var registry: RegistryFlags

    /// The first of these flags that was given: a program that is no image's has no use for it.
    var given: String? {
        if entrypoint != nil { return "--entrypoint" }
        if pull != nil { return "--pull" }
        if platform.name != nil { return "--platform" }
        return registry.plainHosts.isEmpty ? nil : "--plain-http"
    }

    func pulling(_ client: NodeClient) throws(FlagError) -> ImagePulling {
        ImagePulling(client, plainHosts: registry.plainHosts, platform: try platform.platform())
    }
}
