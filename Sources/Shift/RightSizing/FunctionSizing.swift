package import Metering

/// A function as it is declared, and its calls.
package struct MeasuredFunction: Sendable {
    package var name: String
    package var memoryMB: Int
    package var timeoutSeconds: Int
    /// Instances kept ready, by version or alias.
    package var provisioned: [String: Int]
    /// The newest published version or an alias that calls go to, where provisioned concurrency could be put; nil: there is none.
    package var qualifier: String?
    package var calls: [MeteredCall]

    package init(
        name: String, memoryMB: Int, timeoutSeconds: Int, provisioned: [String: Int] = [:], qualifier: String? = nil, calls: [MeteredCall]
    ) {
        self.name = name
        self.memoryMB = memoryMB
        self.timeoutSeconds = timeoutSeconds
        self.provisioned = provisioned
        self.qualifier = qualifier
        self.calls = calls
    }
}

/// What machines and prices there are.
package struct SizingGround: Hashable, Sendable {
    package var prices: PriceBook
    package var processors: Int
    /// Most that one function may have, MB.
    package var memoryLimitMB: Int
    package var rules: SizingRules

    package init(prices: PriceBook, processors: Int, memoryLimitMB: Int, rules: SizingRules = SizingRules()) {
        self.prices = prices
        self.processors = processors
        self.memoryLimitMB = memoryLimitMB
        self.rules = rules
    }

    /// Of one GB kept ready for 30 days.
    var keptPrice: Double { Double(prices.perProvisionedGBSecond.picos) / 1e12 * 30 * 86_400 }
}

/// Advice about a function: its memory, its pool, its rung.
///
/// Invariants (tests in FunctionSizingTests)
/// 1. Too few calls are no ground for advice. (`too few calls are an answer`)
/// 2. Only calls at the size that it has now count. (`calls at another size do not count`)
/// 3. Every change says how many of how many calls it would have hurt. (`every change has its risk`)
package enum FunctionSizing {
    package static func advice(_ function: MeasuredFunction, _ ground: SizingGround) -> Advice {
        let samples = CallSamples(function.calls.compactMap { CallSample($0) }.filter { $0.memoryMB == function.memoryMB })
        var advice = Advice(
            .function, function.name, rung: "function",
            seen: Advice.Seen(samples: samples.count, unit: "calls", seconds: samples.span))
        let rules = ground.rules
        guard samples.count >= rules.minimumCalls else {
            let others = function.calls.count - samples.count
            let rest = others > 0 ? "; \(others) more were refused, replayed or ran at another memory size" : ""
            advice.remarks.append("too few calls: \(samples.count) of the \(rules.minimumCalls) that advice needs\(rest)")
            return advice
        }
        memory(function, samples, ground, &advice)
        pool(function, samples, ground, &advice)
        rung(function, samples, ground, &advice)
        return advice
    }

    // MARK: Memory

    private static func memory(
        _ function: MeasuredFunction, _ samples: CallSamples, _ ground: SizingGround, _ advice: inout Advice
    ) {
        let sizing = MemorySizing(
            current: function.memoryMB, samples.all, prices: ground.prices, rules: ground.rules, processors: ground.processors,
            memoryLimit: ground.memoryLimitMB)
        let peak = SizeText.bytes(sizing.peakBytes)
        let slow = "p99 \(SizeText.seconds(sizing.p99Before))"
        guard sizing.megabytes != function.memoryMB else {
            var why = "the highest peak was \(peak), \(slow)"
            if sizing.outOfMemory > 0 {
                why = "\(sizing.outOfMemory) calls ran out of memory, and the machine has no more for one function"
            } else if sizing.atLimit * 100 > samples.count {
                why = "\(sizing.atLimit) of \(samples.count) calls came within 2 % of it"
            }
            return advice.remarks.append("memory: \(function.memoryMB) MB is right: \(why)")
        }
        let grows = sizing.megabytes > function.memoryMB
        let reason =
            sizing.outOfMemory > 0
            ? "\(sizing.outOfMemory) of \(samples.count) calls ran out of memory; how much they need is not known, so half as much again"
            : grows
                ? "the highest peak was \(peak), which leaves less than \(ground.rules.headroomPercent) % free"
                : "the highest peak was \(peak); \(slow) stays at \(SizeText.seconds(sizing.p99After)) by CPU time"
        let limit = sizing.megabytes << 20
        advice.changes.append(
            Change(
                quantity: .memory, before: "\(function.memoryMB) MB", after: "\(sizing.megabytes) MB",
                saving: (sizing.costBefore - sizing.costAfter) * samples.perMonth,
                risk: Risk("calls that would have exceeded it", samples.all.count { $0.peakBytes > limit }, of: samples.count),
                reason: reason + (function.qualifier.map { "; calls of \($0) get it with the next version" } ?? ""),
                action: .functionMemory(function: function.name, megabytes: sizing.megabytes)))
    }

    // MARK: Pool

    private static func pool(
        _ function: MeasuredFunction, _ samples: CallSamples, _ ground: SizingGround, _ advice: inout Advice
    ) {
        let profile = ConcurrencyProfile(samples.all)
        let cold = samples.all.count { $0.isCold }
        let before = function.provisioned.values.reduce(0, +)
        let wanted = profile.instances(for: ground.rules.coldShare)
        let perInstance = Double(function.memoryMB) / 1024 * ground.keptPrice
        func change(to count: Int, _ qualifier: String?, _ reason: String) -> Change {
            Change(
                quantity: .pool, before: "\(before) kept ready", after: "\(count) kept ready", saving: Double(before - count) * perInstance,
                risk: Risk("calls that would have found none ready", profile.beyond(count), of: samples.count), reason: reason,
                action: qualifier.map { .provisioned(function: function.name, qualifier: $0, count: count) })
        }
        let most = "at most \(profile.peak) ran at once, \(SizeText.number(profile.mean)) on average"
        if before > 0 {
            guard wanted != before else { return advice.remarks.append("pool: \(before) kept ready is right: \(most)") }
            // Several versions share the calls: whose are how many is not decided here.
            let only = function.provisioned.count == 1 ? function.provisioned.first?.key : nil
            let by = only == nil ? "; \(function.provisioned.count) versions keep some: change them one by one" : ""
            return advice.changes.append(change(to: max(wanted, 1), only, most + by))
        }
        let initial = samples.all.filter(\.isCold).map { max($0.initSeconds, 0) }
        let wait = CallSamples.percentile(50, of: initial)
        let usual = CallSamples.percentile(50, of: samples.all.map(\.seconds))
        let coldText = "\(cold) of \(samples.count) calls began cold"
        guard Double(cold) > Double(samples.count) * ground.rules.coldShare, wait > usual * 0.2 else {
            return advice.remarks.append("pool: none need be kept ready: \(coldText), \(most)")
        }
        let hand = function.qualifier == nil ? "; publish a version first, instances of $LATEST are not kept ready" : ""
        advice.changes.append(
            change(
                to: max(wanted, 1), function.qualifier,
                "\(coldText) and waited \(SizeText.seconds(wait)) for calls of \(SizeText.seconds(usual)) (medians); \(most)\(hand)"))
    }

    // MARK: Rung

    /// A service has its replicas all the time and pays no call; a function has an instance as long as calls run.
    private static func rung(
        _ function: MeasuredFunction, _ samples: CallSamples, _ ground: SizingGround, _ advice: inout Advice
    ) {
        let profile = ConcurrencyProfile(samples.all)
        let replicas = max(1, profile.instances(for: ground.rules.coldShare))
        let price = Double(ground.prices.perGBSecond.picos) / 1e12
        let billed = samples.all.reduce(0.0) { $0 + (($1.seconds + $1.initSeconds) * 1000).rounded(.up) / 1000 }
        let asFunction =
            (billed * Double(function.memoryMB) / 1024 * price + Double(samples.count) * Double(ground.prices.perRequest.picos) / 1e12)
            * samples.perMonth
        let asService = Double(replicas) * Double(function.memoryMB) / 1024 * ground.keptPrice
        let sum = "\(SizeText.money(asFunction)) as a function, \(SizeText.money(asService)) as \(SizeText.count(replicas, "replica")) kept ready (30 days)"
        guard asService < asFunction * 0.9, profile.mean >= 0.5 else {
            return advice.remarks.append("rung: function is right: busy \(SizeText.percent(min(profile.mean, 1))) of the time, \(sum)")
        }
        advice.changes.append(
            Change(
                quantity: .rung, before: "function", after: "service", saving: asFunction - asService,
                risk: Risk("calls that would have found all replicas busy", profile.beyond(replicas), of: samples.count),
                reason: "it is busy nearly all the time: \(sum). A service is a deployment behind an address: `forkless export` writes one",
                action: nil))
    }
}
