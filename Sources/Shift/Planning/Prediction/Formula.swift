import Comparison

/// A sum with the names of its terms: what a prediction stands on, in the order in which it is said.
package struct Formula: Hashable, Sendable {
    package enum Unit: String, Sendable { case nanoseconds, bytes }

    package struct Term: Hashable, Sendable {
        package var what: String
        /// Negative for what is taken away.
        package var amount: Double

        package init(_ what: String, _ amount: Double) {
            self.what = what
            self.amount = amount
        }
    }

    package var unit: Unit
    package var terms: [Term]

    package init(_ unit: Unit, _ terms: [Term]) {
        self.unit = unit
        self.terms = terms
    }

    /// Never less than nothing.
    package var total: Double { max(0, terms.reduce(0) { $0 + $1.amount }) }

    /// "0.6 ms fork and exec + 120 ms copying 8 GiB of page tables + 2.1 ms its own work = 123 ms".
    package var text: String {
        var text = ""
        for (index, term) in terms.enumerated() {
            let amount = formatted(term.amount.magnitude)
            let sign = term.amount < 0 ? "− " : index > 0 ? "+ " : ""
            text += (index > 0 ? " " : "") + sign + amount + " " + term.what
        }
        return text + " = " + formatted(total)
    }

    package func formatted(_ amount: Double) -> String {
        switch unit {
        case .nanoseconds: FloatingText.duration(nanoseconds: amount)
        case .bytes: FloatingText.bytes(amount)
        }
    }
}
