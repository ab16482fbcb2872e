/// One number of a report as tables show it: its text, how far it can be trusted and where it is from.
package struct ReportFigure: Hashable, Sendable {
    package enum Origin: String, Hashable, Sendable { case measured, derived, unavailable }

    package var origin: Origin
    /// In the unit of its row; nil where there is no number.
    package var value: Double?
    package var text: String
    package var interval: ConfidenceInterval?
    package var repetitions = 0
    /// The method, the formula, or why there is nothing.
    package var explanation: String
    /// What has to be known before the number is believed; nil: nothing.
    package var caveat: String?

    /// No number, and why.
    package static func missing(_ reason: String) -> ReportFigure {
        ReportFigure(origin: .unavailable, value: nil, text: "–", explanation: reason)
    }

    /// What a quantity says, by a part of its value.
    init<Value>(_ quantity: Quantity<Value>, _ unit: ReportUnit, _ part: (Value) -> Double) {
        self.init(quantity, unit) { (part($0), nil, 0, nil) }
    }

    /// The same of an estimate, with its interval.
    init<Value>(_ quantity: Quantity<Value>, _ unit: ReportUnit, estimate part: (Value) -> Estimate) {
        self.init(quantity, unit) { value in
            let estimate = part(value)
            return (estimate.value, estimate.interval, estimate.repetitions.count, nil)
        }
    }

    /// A percentile of a summary, with what it stands on.
    init(_ quantity: Quantity<LatencySummary>, percentile: Double, _ part: (LatencySummary) -> Estimate) {
        self.init(quantity, .nanoseconds) { summary in
            let estimate = part(summary)
            return (
                estimate.value, estimate.interval, estimate.repetitions.count, summary.caveat(percentile: percentile)
            )
        }
    }

    private init<Value>(
        _ quantity: Quantity<Value>, _ unit: ReportUnit,
        _ part: (Value) -> (value: Double, interval: ConfidenceInterval?, repetitions: Int, caveat: String?)
    ) {
        let found: (value: Double, interval: ConfidenceInterval?, repetitions: Int, caveat: String?)
        switch quantity {
        case .unavailable(let reason):
            self = .missing(reason)
            return
        case .measured(let value, _):
            origin = .measured
            found = part(value)
        case .derived(let value, _):
            origin = .derived
            found = part(value)
        }
        guard found.value.isFinite else {
            self = .missing("not a finite number")
            return
        }
        value = found.value
        text = unit.text(found.value)
        interval = found.interval
        repetitions = found.repetitions
        explanation = quantity.explanation
        caveat = found.caveat
    }

    init(
        origin: Origin, value: Double?, text: String, interval: ConfidenceInterval? = nil, repetitions: Int = 0,
        explanation: String, caveat: String? = nil
    ) {
        self.origin = origin
        self.value = value
        self.text = text
        self.interval = interval
        self.repetitions = repetitions
        self.explanation = explanation
        self.caveat = caveat
    }

    /// "640–690 µs": the interval in the row's unit, or "±0.4 %" where its ends read the same; empty when there is none.
    package func intervalText(_ unit: ReportUnit) -> String {
        guard let interval else { return "" }
        let (low, high) = (unit.text(interval.low), unit.text(interval.high))
        if low == high {
            guard let value, value > 0 else { return "" }
            let half = max(interval.high - value, value - interval.low) / value * 100
            return half < 0.05 ? "±0.0 %" : "±\(FloatingText.fixed(half, decimals: 1)) %"
        }
        // The unit once, where both have the same: "640–690 µs".
        let lowWords = low.split(separator: " ")
        let highWords = high.split(separator: " ")
        guard lowWords.count == 2, highWords.count == 2, lowWords[1] == highWords[1] else { return "\(low)–\(high)" }
        return "\(lowWords[0])–\(high)"
    }
}

/// In what a row counts.
package enum ReportUnit: Hashable, Sendable {
    case nanoseconds, microseconds, bytes, perSecond, count
    case money(String)

    /// As it stands in CSV.
    package var name: String {
        switch self {
        case .nanoseconds: "ns"
        case .microseconds: "us"
        case .bytes: "bytes"
        case .perSecond: "1/s"
        case .count: ""
        case .money(let currency): currency
        }
    }

    package func text(_ value: Double) -> String {
        switch self {
        case .nanoseconds: FloatingText.duration(nanoseconds: value)
        case .microseconds: FloatingText.duration(nanoseconds: value * 1000)
        case .bytes: FloatingText.bytes(value)
        case .perSecond: FloatingText.rate(perSecond: value)
        case .count: FloatingText.fixed(value, decimals: 0)
        case .money(let currency):
            (currency == "USD" ? "$" : currency + " ")
                + FloatingText.fixed(value, decimals: value.magnitude >= 0.1 ? 2 : value.magnitude >= 0.001 ? 4 : 6)
        }
    }
}
