import ArgumentParser
import Daemon

/// What a node is told of its functions.
struct NodeFunctionFlags: ParsableArguments {
    @Option(
        name: .customLong("lambda-listen"),
        help: ArgumentHelp(
            "Where the Lambda API is served beside RUN/lambda.sock, or `off` (default: 127.0.0.1:3001; or FORKLESS_LAMBDA_LISTEN).",
            valueName: "host:port|off"))
    var api: String?

    @Option(
        name: .customLong("http-listen"),
        help: ArgumentHelp(
            "Where /metrics, the node's pages and function URLs are served, or `off` (default: 127.0.0.1:7070; or FORKLESS_HTTP_LISTEN).",
            valueName: "host:port|off"))
    var http: String?

    @Option(
        name: .customLong("access-keys"),
        help: ArgumentHelp(
            "Lines `ID SECRET`, mode 600: requests over TCP must be signed by one of them (or FORKLESS_ACCESS_KEYS).",
            valueName: "file"))
    var accessKeys: String?

    @Option(
        name: .customLong("prices"),
        help: ArgumentHelp("The price book that reports compute costs from (or FORKLESS_PRICES).", valueName: "file"))
    var prices: String?

    @Option(
        name: .customLong("python-runtimes"),
        help: ArgumentHelp(
            "Where python3.x/awslambdaric is, besides STATE/functions/runtimes; can be given again (or FORKLESS_PYTHON_RUNTIMES).",
            valueName: "dir"))
    var pythonRuntimes: [String] = []

    /// Flags come before variables; an empty variable counts as unset.
    func settings(_ variable: (String) -> String?) throws(FlagError) -> LambdaSettings {
        func set(_ name: String) -> String? { variable(name).flatMap { $0.isEmpty ? nil : $0 } }
        let files = [("--access-keys", accessKeys), ("--prices", prices)]
        for (flag, value) in files where value == "" { throw FlagError(flag, "", "the value is empty") }
        guard !pythonRuntimes.contains("") else { throw FlagError("--python-runtimes", "", "the value is empty") }
        let runtimes = set("FORKLESS_PYTHON_RUNTIMES")?.split(separator: ":").map(String.init) ?? []
        return LambdaSettings(
            api: try ListenFlag.parse(api ?? set("FORKLESS_LAMBDA_LISTEN"), "--lambda-listen", LambdaSettings.usualAPI),
            http: try ListenFlag.parse(http ?? set("FORKLESS_HTTP_LISTEN"), "--http-listen", LambdaSettings.usualHTTP),
            accessKeys: accessKeys ?? set("FORKLESS_ACCESS_KEYS"), prices: prices ?? set("FORKLESS_PRICES"),
            pythonRuntimes: pythonRuntimes.isEmpty ? runtimes : pythonRuntimes, region: set("AWS_REGION") ?? LambdaSettings.usualRegion)
    }

    /// The flags that say the same; AWS_REGION is in the environment, which a node in the background inherits.
    static func words(_ settings: LambdaSettings) -> [String] {
        ListenFlag.words("--lambda-listen", settings.api) + ListenFlag.words("--http-listen", settings.http)
            + (settings.accessKeys.map { ["--access-keys", $0] } ?? []) + (settings.prices.map { ["--prices", $0] } ?? [])
            + settings.pythonRuntimes.flatMap { ["--python-runtimes", $0] }
    }
}
