import JSON
import KubeObjects

// A new size in the midst of a rollout: all sets grow or shrink in proportion, so that the rollout gets no faster by it.
extension Rollout {
    mutating func scaleProportionally() {
        if let only = activeOrLatest { return scale(only, to: replicas) }
        if let set = newSet, isSaturated(set) {
            for old in oldSets where old.wanted > 0 { scale(old, to: 0) }
            return
        }
        guard isRolling else { return }
        let missing = (replicas > 0 ? replicas + maxSurge : 0) - activeSets.reduce(0) { $0 + $1.wanted }
        let sets = inOrderOfSize(growing: missing >= 0)
        var sizes = sets.map(\.wanted)
        var added: Int64 = 0
        if missing != 0 {
            for (index, set) in sets.enumerated() {
                let part = proportion(of: set, missing: missing, added: added)
                sizes[index] += part
                added += part
            }
            // What rounding leaves goes to the largest.
            if !sizes.isEmpty { sizes[0] = max(0, sizes[0] + missing - added) }
        }
        for (set, size) in zip(sets, sizes) { scale(set, to: size) }
    }

    /// The one set that has pods, or the newest when none has; nil when several have.
    private var activeOrLatest: KubeObject? {
        let active = activeSets
        switch active.count {
        case 0: return newSet ?? oldSets.last
        case 1: return active[0]
        default: return nil
        }
    }

    private func isSaturated(_ set: KubeObject) -> Bool {
        set.wanted == replicas && set.status.count("availableReplicas") == replicas
            && set.annotation(RevisionAnnotations.desired).flatMap { Int64($0) } == replicas
    }

    /// The largest first; of equal ones the newer when they grow, the older when they shrink.
    private func inOrderOfSize(growing: Bool) -> [KubeObject] {
        activeSets.sorted { a, b in
            if a.wanted != b.wanted { return a.wanted > b.wanted }
            return growing ? b.isOlder(than: a) : a.isOlder(than: b)
        }
    }

    private func proportion(of set: KubeObject, missing: Int64, added: Int64) -> Int64 {
        guard set.wanted > 0, missing != added else { return 0 }
        let fraction = fraction(of: set)
        return missing > 0 ? min(fraction, missing - added) : max(fraction, missing - added)
    }

    /// By how much a set would change when it kept its part of the whole.
    private func fraction(of set: KubeObject) -> Int64 {
        guard replicas > 0 else { return -set.wanted }
        let noted = set.annotation(RevisionAnnotations.most).flatMap { Int64($0) } ?? 0
        let before = noted > 0 && noted <= Int64(Int32.max) * 2 ? noted : deployment.status.count("replicas")
        guard before > 0 else { return 0 }
        let size = (Double(set.wanted) * Double(replicas + maxSurge) / Double(before)).rounded()
        return Int64(min(size, Double(Int32.max))) - set.wanted
    }
}
