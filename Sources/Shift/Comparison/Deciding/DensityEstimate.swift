/// How many instances would fit, from how much some take.
package enum DensityEstimate {
    /// What is left to the machine itself: a tenth of its memory, at least 256 MiB.
    package static func reserve(memoryBytes: Int) -> Int { max(256 << 20, memoryBytes / 10) }

    /// How many instances are tried: 1, 2, 4 and so on, and the limit.
    package static func counts(upTo limit: Int) -> [Int] {
        precondition(limit > 0, "at least one instance")
        var counts: [Int] = []
        var count = 1
        while count < limit {
            counts.append(count)
            count *= 2
        }
        return counts + [limit]
    }

    /// The density by these points.
    ///
    /// - Parameters:
    ///   - available: bytes that were free before the first instance.
    package static func density(
        _ points: [Density.Point], stopped: String, available: Int, memoryBytes: Int
    ) -> Density {
        let slope =
            Statistics.line(points.map { (Double($0.instances), Double($0.bytes)) })?.slope
            ?? points.first.map { Double($0.bytes) / Double($0.instances) } ?? 0
        let reserve = reserve(memoryBytes: memoryBytes)
        let fits: Quantity<Int>
        // Less than a page for each: what was measured is noise, and a number made of it would be one, too.
        if slope < 4096 {
            fits = .unavailable(
                "memory does not grow with the number of instances by a page each, so it does not bound them")
        } else {
            let room = max(0, available - reserve)
            fits = .derived(
                Int(Double(room) / slope),
                formula: "(\(FloatingText.bytes(available)) available − \(FloatingText.bytes(reserve)) left free) / "
                    + "\(FloatingText.bytes(slope)) for each further instance (slope of the least-squares line through "
                    + "\(points.count) points up to \(points.last?.instances ?? 0) instances)")
        }
        return Density(points: points, stopped: stopped, bytesPerInstance: slope, fits: fits)
    }
}
