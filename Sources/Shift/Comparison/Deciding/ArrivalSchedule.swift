internal import Chance
internal import Glibc

/// When calls arrive, whether or not those before have ended: the load is open, as requests from outside are.
///
/// Invariants:
/// 1. Times are ascending and less than the duration. Test: `arrivals are in order and within the duration`.
/// 2. The same schedule has the same times. Test: `a seed gives the same arrivals again`.
package enum ArrivalSchedule: Hashable, Sendable {
    /// One after the other at equal distances.
    case constant(perSecond: Double)
    /// Distances as of independent callers: exponentially distributed.
    case poisson(perSecond: Double, seed: Int)
    /// So many at once, again and again: the distance between the beginnings of two bursts, nanoseconds.
    case bursts(size: Int, everyNanoseconds: Int)

    /// Calls in a second on average.
    package var perSecond: Double {
        switch self {
        case .constant(let rate), .poisson(let rate, _): rate
        case .bursts(let size, let every): Double(size) * 1e9 / Double(every)
        }
    }

    /// How many calls arrive in a time: of Poisson arrivals on average.
    package func expectedCount(forNanoseconds duration: Int) -> Double {
        switch self {
        case .constant(let rate), .poisson(let rate, _): rate * Double(duration) / 1e9
        case .bursts(let size, let every): Double(size) * (Double(duration) / Double(every)).rounded(.up)
        }
    }

    /// The intended arrivals from the beginning on, nanoseconds.
    package func arrivals(forNanoseconds duration: Int) -> [Int] {
        precondition(perSecond > 0 && perSecond.isFinite && duration > 0, "a schedule has a rate and lasts")
        var times: [Int] = []
        switch self {
        case .constant(let rate):
            var number = 0.0
            while true {
                let time = number * 1e9 / rate
                // Before it becomes whole: at a low rate the next one may be later than an Int can say.
                guard time < Double(duration) else { return times }
                times.append(Int(time))
                number += 1
            }
        case .poisson(let rate, let seed):
            var chance = SplitMix(seed: UInt64(bitPattern: Int64(seed)))
            var time = 0.0
            while true {
                time -= log(1 - chance.fraction()) * 1e9 / rate
                guard time < Double(duration) else { return times }
                times.append(Int(time))
            }
        case .bursts(let size, let every):
            for begin in stride(from: 0, to: duration, by: every) { times += [Int](repeating: begin, count: size) }
            return times
        }
    }

    /// "Poisson arrivals (seed 1), 200/s".
    package var words: String {
        switch self {
        case .constant(let rate): "constant arrivals, \(FloatingText.rate(perSecond: rate))"
        case .poisson(let rate, let seed): "Poisson arrivals (seed \(seed)), \(FloatingText.rate(perSecond: rate))"
        case .bursts(let size, let every):
            "bursts of \(size) calls every \(FloatingText.duration(nanoseconds: every)), \(FloatingText.rate(perSecond: perSecond))"
        }
    }
}
