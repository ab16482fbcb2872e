import KubeSchema
import Linux

/// The last measurements of pods, averaged: one alone is over a fifth of a second, in which a program may happen to rest or
/// to be kept waiting.
///
/// Invariant: no more than `depth` measurements are kept. (test: `what pods used is averaged over the last measurements`)
package struct UsageHistory: Sendable {
    /// By namespace and name.
    package typealias Round = [String: [String: PodUsage]]

    static let depth = 3

    private var rounds: [Round] = []

    package init() {}

    package mutating func add(_ round: Round) {
        rounds.append(round)
        if rounds.count > Self.depth { rounds.removeFirst() }
    }

    /// Of all pods of the last measurement. CPU is averaged, memory is what it was last.
    package var usage: Round {
        guard let last = rounds.last else { return [:] }
        var result: Round = [:]
        for (namespace, pods) in last {
            result[namespace] = Dictionary(
                uniqueKeysWithValues: pods.map { name, newest in
                    (name, average(rounds.compactMap { $0[namespace]?[name] }, newest))
                })
        }
        return result
    }

    private func average(_ measured: [PodUsage], _ newest: PodUsage) -> PodUsage {
        var containers = newest.containers
        for container in containers.keys where containers[container]!["cpu"] != nil {
            let values = measured.compactMap { $0.containers[container]?["cpu"]?.milliValue }
            containers[container]!["cpu"] = Quantity(
                thousandths: Int64(values.reduce(0) { $0 + Int($1) } / values.count))
        }
        let oldest = measured.first ?? newest
        return PodUsage(
            containers: containers, measured: newest.measured,
            window: newest.measured.since(oldest.measured) + oldest.window)
    }
}
