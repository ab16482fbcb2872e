internal import Glibc

/// A mark on an axis.
package struct PlotTick: Hashable, Sendable {
    package var value: Double
    /// What is written at it; nil where there is no room for that, or no need.
    package var label: String?

    package init(_ value: Double, _ label: String? = nil) {
        self.value = value
        self.label = label
    }
}

extension PlotScale {
    /// Ticks at round values, in ascending order, about `wanted` of them with labels.
    package func ticks(of quantity: PlotQuantity, wanted: Int) -> [PlotTick] {
        precondition(wanted > 1, "an axis has ticks")
        switch kind {
        case .linear: return linearTicks(quantity, wanted)
        case .logarithmic: return quantity == .bytes ? powersOfTwo(wanted) : decades(quantity, wanted)
        case .percentile: return percentiles()
        }
    }

    private func linearTicks(_ quantity: PlotQuantity, _ wanted: Int) -> [PlotTick] {
        let step = quantity.step(over: upper - lower, parts: wanted)
        let unit = quantity.unit(for: max(lower.magnitude, upper.magnitude))
        let first = (lower / step - 1e-9).rounded(.up)
        let last = (upper / step + 1e-9).rounded(.down)
        guard first <= last, last - first < 1000 else { return [] }
        return stride(from: first, through: last, by: 1).map { index in
            let value = index * step
            return PlotTick(value, quantity.text(value, in: unit, step: step))
        }
    }

    /// 1, 2 ... 9 of each power of ten, of which as many have labels as there is room for.
    private func decades(_ quantity: PlotQuantity, _ wanted: Int) -> [PlotTick] {
        let first = Int(log10(lower).rounded(.down))
        let last = Int(log10(upper).rounded(.up))
        let decades = log10(upper / lower)
        let labelled: Set<Int> =
            decades * 6 <= Double(wanted) ? [1, 2, 3, 4, 5, 7] : decades * 3 <= Double(wanted) + 1 ? [1, 2, 5] : [1]
        let every = max(1, Int((decades / Double(wanted)).rounded(.up)))
        var ticks: [PlotTick] = []
        for power in first...last {
            // A table of more than a dozen powers of ten shows the powers alone.
            for factor in decades > 12 ? [1] : Array(1...9) {
                let value = Double(factor) * pow(10, Double(power))
                guard value >= lower * (1 - 1e-9), value <= upper * (1 + 1e-9) else { continue }
                let hasLabel = labelled.contains(factor) && power % every == 0
                let unit = quantity.unit(for: value * (1 + 1e-12))
                ticks.append(PlotTick(value, hasLabel ? quantity.text(value, in: unit, step: value) : nil))
            }
        }
        return ticks
    }

    private func powersOfTwo(_ wanted: Int) -> [PlotTick] {
        let first = Int(log2(lower).rounded(.up))
        let last = Int(log2(upper).rounded(.down))
        guard first <= last else { return [] }
        let every = max(1, (last - first + wanted - 1) / wanted)
        return stride(from: first, through: last, by: every).map { power in
            let value = exp2(Double(power))
            return PlotTick(value, PlotQuantity.bytes.text(value, in: PlotQuantity.bytes.unit(for: value), step: value))
        }
    }

    /// 0 %, 50 %, then one more nine at a time.
    private func percentiles() -> [PlotTick] {
        var ticks = [PlotTick(0, "0 %"), PlotTick(0.5, "50 %")]
        var rest = 0.1
        while 1 - rest <= upper + 1e-12, rest > 1e-9 {
            let value = 1 - rest
            let decimals = max(0, Int((-log10(rest)).rounded()) - 2)
            ticks.append(PlotTick(value, DecimalText.fixed(value * 100, decimals: decimals) + " %"))
            rest /= 10
        }
        return ticks.filter { $0.value >= lower && $0.value <= upper + 1e-12 }
    }
}

extension [PlotTick] {
    /// The ticks without the labels that would come too close to the one before, by where and how wide they are.
    func thinned(gap: Double, _ extent: (PlotTick) -> (center: Double, width: Double)?) -> [PlotTick] {
        var end = -Double.infinity
        return map { tick in
            guard tick.label != nil, let (center, width) = extent(tick), center - width / 2 >= end + gap else {
                return PlotTick(tick.value)
            }
            end = center + width / 2
            return tick
        }
    }
}
