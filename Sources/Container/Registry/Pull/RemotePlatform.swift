/// A platform as an index names it.
package struct RemotePlatform: Hashable, Sendable, CustomStringConvertible {
    package var os: String
    package var architecture: String
    package var variant: String?

    package init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant?.isEmpty == true ? nil : variant
    }

    /// Reads "OS/ARCHITECTURE" or "OS/ARCHITECTURE/VARIANT"; nil when it is neither.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
    }

    /// What this program was built for.
    package static var ofThisMachine: RemotePlatform {
        #if arch(x86_64)
            RemotePlatform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            RemotePlatform(os: "linux", architecture: "arm64", variant: "v8")
        #else
            #error("name this architecture as GOARCH does")
        #endif
    }

    package var description: String { "\(os)/\(architecture)" + (variant.map { "/\($0)" } ?? "") }

    /// How well a program for `self` does where `wanted` is asked for: 0 is exactly, nil is not at all.
    func distance(to wanted: RemotePlatform) -> Int? {
        guard os == wanted.os, architecture == wanted.architecture else { return nil }
        let (mine, asked) = (level, wanted.level)
        // Older variants of one architecture run on newer processors; the newest of them is best.
        return mine <= asked ? asked - mine : nil
    }

    /// The variant as a number; without one, the architecture's usual.
    private var level: Int {
        let number = variant.flatMap { $0.hasPrefix("v") ? Int($0.dropFirst()) : nil }
        switch architecture {
        case "arm64": return number ?? 8
        case "arm": return number ?? 7
        default: return number ?? 1
        }
    }

    /// The entry of an index for a platform, or an error that names what there is.
    package static func choose(
        _ entries: [RemoteDocument.Entry], for wanted: RemotePlatform, name: String
    ) throws(RegistryFailure) -> RemoteContent {
        let fitting = entries.compactMap { entry in
            entry.platform?.distance(to: wanted).map { (distance: $0, content: entry.content) }
        }
        // Of equals the first, which is how min works.
        if let best = fitting.min(by: { $0.distance < $1.distance }) { return best.content }
        if entries.count == 1, entries[0].platform == nil { return entries[0].content }
        // Attestations stand in an index as the platform "unknown/unknown".
        let there = Set(entries.compactMap(\.platform).filter { $0.os != "unknown" }.map(\.description)).sorted()
        throw RegistryFailure(
            .notFound,
            "\(name) is not there for \(wanted); it is there for "
                + (there.isEmpty ? "no platform that it names" : there.joined(separator: ", ")))
    }
}
