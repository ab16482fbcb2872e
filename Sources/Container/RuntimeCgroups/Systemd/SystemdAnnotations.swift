package import Linux
import MessageBus

/// Properties of the scope that a configuration's annotations name: "org.systemd.property.TimeoutStopUSec":
/// "uint64 10000000", with values in GVariant's text format, as CRI-O writes them. Pure.
///
/// Invariant: annotations come from who starts a container, often a user of the cluster, and the machine's systemd would
/// do whatever a property says (CVE-2024-3154: reboot it). Those alone are taken that concern the scope's own end.
/// (test: `annotations set only what concerns the scope's own end`)
package struct SystemdAnnotations: Hashable, Sendable {
    package private(set) var properties: [SystemdProperties.Property] = []
    /// Annotations that name other properties, which are not set.
    package private(set) var ignored: [String] = []

    package static let prefix = "org.systemd.property."
    private static let known: Set<String> = ["CollectMode", "TimeoutStopUSec", "TimeoutStopSec"]

    /// The annotations that have an effect, in order.
    package static var names: [String] { known.sorted().map { prefix + $0 } }

    /// - Throws: `SystemError` (EINVAL) for the value of a known one that cannot be read.
    package init(_ annotations: [String: String]) throws(SystemError) {
        for (key, text) in annotations.sorted(by: { $0.key < $1.key }) where key.hasPrefix(Self.prefix) {
            let name = String(key.dropFirst(Self.prefix.utf8.count))
            guard Self.known.contains(name) else {
                ignored.append(key)
                continue
            }
            guard let value = Self.value(text) else { throw Self.refused(key, text, "'text', true, 5 or uint64 5") }
            guard name == "TimeoutStopSec" else {
                properties.append(SystemdProperties.Property(name, value))
                continue
            }
            // On the bus times are microseconds.
            guard let time = Self.microseconds(value) else { throw Self.refused(key, text, "uint64 5, in seconds") }
            properties.append(SystemdProperties.Property("TimeoutStopUSec", .uint64(time)))
        }
    }

    private static func refused(_ key: String, _ text: String, _ expected: String) -> SystemError {
        SystemError(
            "use annotation \(key)", "\"\(text.prefix(128))\"", code: .invalid,
            advice: "Expected a value such as \(expected).")
    }

    private static func microseconds(_ value: BusValue) -> UInt64? {
        let number: UInt64? =
            switch value {
            case .int32(let number): UInt64(exactly: number)
            case .uint32(let number): UInt64(number)
            case .int64(let number): UInt64(exactly: number)
            case .uint64(let number): number
            default: nil
            }
        guard let (result, overflow) = number?.multipliedReportingOverflow(by: 1_000_000), !overflow else { return nil }
        return result
    }

    private static func value(_ text: String) -> BusValue? {
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default: break
        }
        if let quote = text.first, quote == "'" || quote == "\"" {
            let inner = text.dropFirst().dropLast()
            guard text.utf8.count >= 2, text.last == quote, !inner.contains(quote), !inner.contains("\\") else {
                return nil
            }
            return .string(String(inner))
        }
        let words = text.split(separator: " ").map(String.init)
        switch (words.count, words.first) {
        case (1, _): return Int32(text).map(BusValue.int32)
        case (2, "byte"): return UInt8(words[1]).map(BusValue.byte)
        case (2, "int32"): return Int32(words[1]).map(BusValue.int32)
        case (2, "uint32"): return UInt32(words[1]).map(BusValue.uint32)
        case (2, "int64"): return Int64(words[1]).map(BusValue.int64)
        case (2, "uint64"): return UInt64(words[1]).map(BusValue.uint64)
        default: return nil
        }
    }
}
