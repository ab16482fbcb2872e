package import JSON

/// A kind of machine: operating system, processor and its variant, "linux/arm64/v8".
package struct Platform: Hashable, Sendable, CustomStringConvertible {
    /// As Go names it: "linux", "windows".
    package var os: String
    /// As Go names it: "amd64", "arm64".
    package var architecture: String
    /// Of the processor: "v7"; nil when there are none or it does not matter.
    package var variant: String?
    /// Of Windows, mostly.
    package var osVersion: String?

    /// Spellings that mean the same become one: "x86_64" is "amd64", "arm64/v8" is "arm64".
    package init(os: String, architecture: String, variant: String? = nil, osVersion: String? = nil) {
        self.os = os.lowercased()
        var variant = variant.flatMap { $0.isEmpty ? nil : $0.lowercased() }
        switch architecture.lowercased() {
        case "x86_64", "x86-64": self.architecture = "amd64"
        case "aarch64", "arm64":
            self.architecture = "arm64"
            if variant == "8" || variant == "v8" { variant = nil }
        case "i386": self.architecture = "386"
        case "armhf": (self.architecture, variant) = ("arm", "v7")
        case "armel": (self.architecture, variant) = ("arm", "v6")
        case let other: self.architecture = other
        }
        if self.architecture == "amd64", variant == "v1" { variant = nil }
        if self.architecture == "arm", variant == nil { variant = "v7" }
        self.variant = variant
        self.osVersion = osVersion
    }

    /// Reads "linux/arm64" or "linux/arm/v7"; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = String(text).split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
    }

    /// The machine this was compiled for.
    package static var ofThisMachine: Platform {
        #if arch(x86_64)
            Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            Platform(os: "linux", architecture: "arm64")
        #else
            #error("say here what this processor is called in images")
        #endif
    }

    package var description: String { ([os, architecture] + (variant.map { [$0] } ?? [])).joined(separator: "/") }

    /// How well a program for `other` runs here: 0 is an exact match, more is worse, nil is not at all.
    /// A processor runs what was made for an earlier variant of it.
    package func distance(to other: Platform) -> Int? {
        guard os == other.os, architecture == other.architecture else { return nil }
        if variant == other.variant { return 0 }
        guard architecture == "arm" || architecture == "amd64" else { return nil }
        guard let mine = Self.level(variant), let its = Self.level(other.variant), its <= mine else { return nil }
        return mine - its
    }

    private static func level(_ variant: String?) -> Int? {
        guard let variant else { return 1 }
        return variant.hasPrefix("v") ? Int(variant.dropFirst()) : nil
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            os: try reader.required("os"), architecture: try reader.required("architecture"),
            variant: try reader.optional("variant"), osVersion: try reader.optional("os.version"))
    }

    /// The object that an index holds.
    package var json: JSONValue {
        var json: JSONValue = ["architecture": .string(architecture), "os": .string(os)]
        if let osVersion { json["os.version"] = .string(osVersion) }
        if let variant { json["variant"] = .string(variant) }
        return json
    }
}
