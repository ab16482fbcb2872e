package import Metering

/// How much memory a function should have.
///
/// The processor comes with the memory: 1,769 MB are one. So less memory makes calls slower that need the processor, and the
/// smallest size that holds them need not be the cheapest. What a call would take at another size is computed from what it took, as the
/// kernel shares processors (cpu.max, cfs_quota_us): in each 100 ms an instance may use its share of them, at once if it likes, and then
/// waits for the next. A call finds used what calls that began in the 100 ms before it have used, in the same instance for all we know.
///
/// Invariants (tests in MemorySizingTests)
/// 1. The size holds the highest peak with its headroom, unless nothing is known. (`the size holds every peak that was seen`)
/// 2. The slowest of a hundred calls are not slower by more than a tenth. (`a function that computes keeps its processor`)
/// 3. Of the sizes that do, the cheapest, and of equal ones the smallest. (`the cheapest size is taken`)
/// 4. A size at which calls ran out of memory is never kept or lowered. (`calls that ran out of memory get more`)
package struct MemorySizing: Hashable, Sendable {
    /// Least and most, MB, and between two sizes that are tried.
    static let least = 128
    static let most = 10_240
    static let step = 64

    package var megabytes: Int
    /// The slowest of a hundred, seconds: as measured, and as computed for the new size.
    package var p99Before: Double
    package var p99After: Double
    /// Of all samples, in the book's currency.
    package var costBefore: Double
    package var costAfter: Double
    package var peakBytes: Int
    package var outOfMemory: Int
    /// Calls that came within 2 % of their size: the kernel may have taken from them what they could have used.
    package var atLimit: Int

    /// - Parameters:
    ///   - current: MB.
    ///   - samples: calls at that size; there is at least one.
    ///   - processors: of the machine.
    ///   - memoryLimit: of the machine for functions, MB.
    package init(
        current: Int, _ samples: [CallSample], prices: PriceBook, rules: SizingRules, processors: Int, memoryLimit: Int = most
    ) {
        peakBytes = samples.map(\.peakBytes).max() ?? 0
        outOfMemory = samples.count { $0.isOutOfMemory }
        atLimit = samples.count { $0.peakBytes >= current << 20 / 100 * 98 }
        let most = max(min(Self.most, memoryLimit), current)
        let price = Double(prices.perGBSecond.picos) / 1e12
        func share(_ megabytes: Int) -> Double { min(max(Double(megabytes) / 1769, 0.01), Double(max(processors, 1))) }
        let samples = samples.sorted { $0.start < $1.start }
        let loads = Self.loads(samples)
        func seconds(_ megabytes: Int) -> [Double] {
            guard megabytes < current else { return samples.map(\.seconds) }
            let quota = share(megabytes) * Self.period
            return zip(samples, loads).map { max($0.seconds, Self.passed($1, quota)) }
        }
        func p99(_ megabytes: Int) -> Double { CallSamples.percentile(99, of: seconds(megabytes)) }
        func cost(_ megabytes: Int) -> Double {
            let billed = zip(seconds(megabytes), samples).reduce(0.0) { $0 + (($1.0 + $1.1.initSeconds) * 1000).rounded(.up) / 1000 }
            return billed * Double(megabytes) / 1024 * price
        }
        p99Before = p99(current)
        costBefore = cost(current)
        let needed = peakBytes / 100 * (100 + rules.headroomPercent)
        var floor = max(Self.least, Self.roundedUp((needed + (1 << 20) - 1) >> 20))
        if outOfMemory > 0 {
            // How much they would have needed is not known: half as much again, and look once more.
            floor = max(floor, Self.roundedUp(current + current / 2))
        } else if atLimit * 100 > samples.count {
            floor = max(floor, current)
        }
        floor = min(floor, most)
        var best = (megabytes: max(floor, current), cost: cost(max(floor, current)))
        for candidate in stride(from: floor, to: current, by: Self.step) {
            let price = cost(candidate)
            guard p99(candidate) <= p99Before * (1 + rules.slowerShare), price < best.cost || price == best.cost && candidate < best.megabytes
            else { continue }
            best = (candidate, price)
        }
        megabytes = best.megabytes
        costAfter = best.cost
        p99After = p99(best.megabytes)
    }

    /// Seconds in which a share is given out anew.
    private static let period = 0.1

    /// The CPU time that each call and those just before it want together, seconds.
    private static func loads(_ samples: [CallSample]) -> [Double] {
        // What a copy that was started ahead has used before its call is in its figure as well: no call uses more than a whole
        // processor for as long as it lasts.
        let used = samples.map { min($0.cpuSeconds, $0.seconds) }
        var (first, sum) = (0, 0.0)
        return samples.indices.map { index in
            sum += used[index]
            while samples[first].start < samples[index].start - period {
                sum -= used[first]
                first += 1
            }
            return max(sum, used[index])
        }
    }

    /// How long it takes to use so much, a quota in each period.
    private static func passed(_ load: Double, _ quota: Double) -> Double {
        guard load > quota else { return 0 }
        let periods = (load / quota).rounded(.down)
        return periods * period + (load - periods * quota)
    }

    /// Multiples of 64 MB, from 128 on: sizes that people recognise.
    private static func roundedUp(_ megabytes: Int) -> Int { (megabytes + step - 1) / step * step }
}
