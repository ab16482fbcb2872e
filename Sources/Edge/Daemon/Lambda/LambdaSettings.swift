import Linux

/// What a node is told of its functions when it is started.
///
/// The Lambda API is served at RUN/lambda.sock in any case; what follows says what else there is.
package struct LambdaSettings: Hashable, Sendable {
    /// Where the Lambda API is served over TCP; nil: nowhere.
    package var api: ListenAddress?
    /// Where function URLs are served; nil: nowhere.
    package var http: ListenAddress?
    /// A file with a line `ID SECRET` for each access key, readable by its owner alone. With one, every request over
    /// TCP has to be signed by one of its keys.
    package var accessKeys: String?
    /// A file with the prices from which reports compute costs.
    package var prices: String?
    /// Directories that may hold a directory python3.x with AWS's runtime client and what else functions may import.
    package var pythonRuntimes: [String]
    /// What ARNs say; AWS_REGION of the node.
    package var region: String

    package static let usualAPI = ListenAddress(host: "127.0.0.1", port: 3001, isAsked: false)
    package static let usualHTTP = ListenAddress(host: "127.0.0.1", port: 7070, isAsked: false)
    package static let usualRegion = "us-east-1"

    package init(
        api: ListenAddress? = LambdaSettings.usualAPI, http: ListenAddress? = LambdaSettings.usualHTTP,
        accessKeys: String? = nil, prices: String? = nil, pythonRuntimes: [String] = [],
        region: String = LambdaSettings.usualRegion
    ) {
        self.api = api
        self.http = http
        self.accessKeys = accessKeys
        self.prices = prices
        self.pythonRuntimes = pythonRuntimes
        self.region = region
    }

    func validated(_ absolute: (String) -> String) throws(NodeSettingsError) -> LambdaSettings {
        if let api, !api.isLoopback, accessKeys == nil {
            throw NodeSettingsError(
                "--lambda-listen \(api): whoever reaches this address could run programs here. Give --access-keys, "
                    + "so that requests have to be signed, or choose an address of this machine alone (127.0.0.1).")
        }
        if let api, let http, api.host == http.host, api.port == http.port, api.port != 0 {
            throw NodeSettingsError("--lambda-listen and --http-listen are both \(api): they need ports of their own.")
        }
        guard Self.isRegion(region) else {
            throw NodeSettingsError(
                "AWS_REGION \"\(region)\": this is no name of a region, which ARNs could say. Use letters, digits and dashes.")
        }
        var settings = self
        settings.accessKeys = accessKeys.map(absolute)
        settings.prices = prices.map(absolute)
        settings.pythonRuntimes = pythonRuntimes.map(absolute)
        return settings
    }

    private static func isRegion(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }
}

/// An address of this machine with a port, at which to listen.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An address in numbers.
    package var host: String
    /// 0: any that is free.
    package var port: UInt16
    /// Whether somebody has chosen it: a usual port that is taken is a remark, one that was asked for is an error.
    package var isAsked: Bool

    package init(host: String, port: UInt16, isAsked: Bool) {
        self.host = host
        self.port = port
        self.isAsked = isAsked
    }

    /// Reads `HOST:PORT`, `[HOST]:PORT` with an address in numbers or `localhost`; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = UInt16(digits) else {
            return nil
        }
        var name = text[..<colon]
        let hasBrackets = name.hasPrefix("[") && name.hasSuffix("]")
        if hasBrackets { name = name.dropFirst().dropLast() }
        if name == "localhost" { name = "127.0.0.1" }
        guard let address = IPAddress(name), address.isIPv6 == hasBrackets else { return nil }
        self.init(host: "\(address)", port: port, isAsked: true)
    }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool { IPAddress(host)?.isLoopback ?? false }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
