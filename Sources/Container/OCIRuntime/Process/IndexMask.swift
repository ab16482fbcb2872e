import OCI
import Sandbox
import Spawn

/// Lists of processors and memory nodes as the kernel's masks.
enum IndexMask {
    /// More numbers than any kernel has (CONFIG_NR_CPUS).
    private static let limit = 8192

    /// "0-3,7" as whole words, least significant byte first.
    static func bytes(_ text: String, field: String) throws(RuntimeFailure) -> [UInt8] {
        guard let list = IndexList(text), let last = list.ranges.last?.upperBound, last < limit else {
            throw RuntimeFailure(
                "\(field): expected a list such as \"0-3,7\" of numbers below \(limit), found \"\(text)\"")
        }
        var mask = [UInt8](repeating: 0, count: (last / 64 + 1) * 8)
        for index in list.ranges.joined() { mask[index / 8] |= 1 << UInt8(index % 8) }
        return mask
    }

    /// The step that sets a memory policy.
    static func step(_ policy: MemoryPolicySpec) throws(RuntimeFailure) -> Step {
        let mode = policy.flags.reduce(policy.mode.number) { $0 | $1.bit }
        return .memoryPolicy(
            mode,
            nodes: try policy.nodes.map { nodes throws(RuntimeFailure) in
                try bytes(nodes, field: "linux.memoryPolicy.nodes")
            } ?? [])
    }
}
