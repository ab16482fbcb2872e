/// What a million calls cost by a price book, as far as the book has prices for it.
package struct CostEstimate: Hashable, Sendable {
    /// Prices, in units of the currency.
    package struct Prices: Hashable, Sendable {
        package var currency: String
        package var perRequest: Double
        package var perGBSecond: Double
        /// Of memory that is kept ready whether used or not.
        package var perReadyGBSecond: Double
        /// Of use, for memory that is kept ready.
        package var perReadyUseGBSecond: Double
        /// "AWS Lambda, us-east-1, x86 (https://...)"
        package var source: String

        package init(
            currency: String, perRequest: Double, perGBSecond: Double, perReadyGBSecond: Double,
            perReadyUseGBSecond: Double,
            source: String
        ) {
            self.currency = currency
            self.perRequest = perRequest
            self.perGBSecond = perGBSecond
            self.perReadyGBSecond = perReadyGBSecond
            self.perReadyUseGBSecond = perReadyUseGBSecond
            self.source = source
        }
    }

    /// How a rung would be billed.
    package enum Billing: Hashable, Sendable {
        /// Memory for as long as a call takes; on functions a fee for each call as well, whole milliseconds, and memory in whole
        /// MiB, at least 128.
        case perCall(isFunction: Bool)
        /// So many instances that are kept ready, at the rate of the knee, and the call itself at the lower price of use.
        case keptReady(instances: Int)
    }

    package let prices: Prices

    package init(_ prices: Prices) { self.prices = prices }

    /// The cost of a million calls, with its formula; a reason where a quantity is missing.
    ///
    /// - Parameters:
    ///   - nanoseconds: what a call takes on average.
    ///   - bytes: what an instance holds.
    ///   - isIdle: whether that is while it waits, since it is not known while it works; the formula says so.
    ///   - knee: calls in a second at which instances that are kept ready are used up.
    package func perMillion(
        _ billing: Billing, nanoseconds: Double?, bytes: Double?, isIdle: Bool = false, knee: Double?
    ) -> Quantity<Cost> {
        let cost = perMillion(billing, nanoseconds, bytes, knee)
        guard isIdle, case .derived(let amount, let formula) = cost else { return cost }
        return .derived(amount, formula: "\(formula); memory of an idle instance, that of a busy one is not known")
    }

    private func perMillion(
        _ billing: Billing, _ nanoseconds: Double?, _ bytes: Double?, _ knee: Double?
    ) -> Quantity<Cost> {
        guard let nanoseconds else { return .unavailable("the duration of a call is not known") }
        guard let bytes else { return .unavailable("the memory of an instance is not known") }
        let isFunction = billing != .perCall(isFunction: false)
        let seconds = isFunction ? (nanoseconds / 1e6).rounded(.up) / 1000 : nanoseconds / 1e9
        let gigabytes = isFunction ? max(128, (bytes / 1_048_576).rounded(.up)) / 1024 : bytes / 1_073_741_824
        let held = "\(number(gigabytes)) GB × \(number(seconds)) s"
        switch billing {
        case .perCall(isFunction: true):
            return derived(
                prices.perRequest + gigabytes * seconds * prices.perGBSecond,
                "(\(number(prices.perRequest)) a request + \(held) × \(number(prices.perGBSecond)) a GB-second)")
        case .perCall(isFunction: false):
            return derived(
                gigabytes * seconds * prices.perGBSecond,
                "\(held) × \(number(prices.perGBSecond)) a GB-second; memory and time as used, no fee for a request")
        case .keptReady(let instances):
            guard let knee else {
                return .unavailable("how many calls the instances that are kept ready take is not known")
            }
            let ready = Double(instances) * gigabytes / knee
            return derived(
                prices.perRequest + ready * prices.perReadyGBSecond + gigabytes * seconds * prices.perReadyUseGBSecond,
                "(\(number(prices.perRequest)) a request + \(instances) × \(number(gigabytes)) GB / \(number(knee)) calls a second × "
                    + "\(number(prices.perReadyGBSecond)) a GB-second kept ready + \(held) × \(number(prices.perReadyUseGBSecond)))"
            )
        }
    }

    private func derived(_ perCall: Double, _ formula: String) -> Quantity<Cost> {
        .derived(
            Cost(amount: perCall * 1_000_000, currency: prices.currency),
            formula: "1,000,000 × \(formula); prices of \(prices.source)")
    }

    /// Four significant digits.
    private func number(_ value: Double) -> String {
        guard value > 0, value < 1000 else { return FloatingText.fixed(value, decimals: 0) }
        var (decimals, scale) = (3, value)
        while scale < 1, decimals < 9 {
            scale *= 10
            decimals += 1
        }
        var text = FloatingText.fixed(value, decimals: min(9, decimals))
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }
}
