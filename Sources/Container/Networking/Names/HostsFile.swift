package import Linux

/// What /etc/hosts of a container says, hosts(5). Pure.
///
/// Invariant: of a file that a container may have changed, only lines about addresses that come or go are touched.
/// (test: `what a container wrote into its hosts file stays`)
package enum HostsFile {
    package static func text(
        hostname: String, addresses: [IPAddress], extra: [(name: String, address: IPAddress)]
    ) -> String {
        var lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
        lines += extra.map(line)
        lines += addresses.map { line((hostname, $0)) }
        return lines.map { $0 + "\n" }.joined()
    }

    /// A file with further names at its end.
    package static func adding(_ extra: [(name: String, address: IPAddress)], to text: String) -> String {
        let gap = text.isEmpty || text.hasSuffix("\n") ? "" : "\n"
        return text + gap + extra.map { line($0) + "\n" }.joined()
    }

    /// A file without the lines about these addresses.
    package static func removing(_ addresses: [IPAddress], from text: String) -> String {
        let kept = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            let first = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }.first
            return first.flatMap { IPAddress($0) }.map { !addresses.contains($0) } ?? true
        }
        return kept.joined(separator: "\n")
    }

    private static func line(_ entry: (name: String, address: IPAddress)) -> String { "\(entry.address)\t\(entry.name)" }
}
