import Foundation

/// What one contender took in every round, in nanoseconds.
///
/// Rounds are kept apart: contenders take turns, so that what the machine does meanwhile meets them all, and
/// two are compared within a round before the rounds are put together.
struct Samples {
    let name: String
    private(set) var rounds: [[Int]] = []

    init(_ name: String) { self.name = name }

    mutating func add(_ round: [Int]) {
        precondition(!round.isEmpty, "a round has at least one sample")
        rounds.append(round)
    }

    var all: [Int] { rounds.flatMap { $0 }.sorted() }
    var roundMedians: [Double] { rounds.map { Self.percentile($0.sorted(), 50) } }
    var p50: Double { Self.percentile(all, 50) }
    var p99: Double { Self.percentile(all, 99) }

    /// How far the middle half of the rounds' medians lies apart, as a part of the median: the noise of this run.
    var noise: Double {
        let medians = roundMedians.map { Int($0) }.sorted()
        return (Self.percentile(medians, 75) - Self.percentile(medians, 25)) / max(1, p50)
    }

    /// This one's medians over another's, round by round.
    func ratios(to other: Samples) -> [Double] { zip(roundMedians, other.roundMedians).map { $0 / $1 } }

    /// By nearest rank: always a sample that was measured. The samples are in ascending order.
    static func percentile(_ sorted: [Int], _ percent: Int) -> Double {
        Double(sorted[max(0, (sorted.count * percent + 99) / 100 - 1)])
    }

    static func median(_ values: [Double]) -> Double { values.sorted()[(values.count - 1) / 2] }
}

/// One way of doing the work that is measured.
struct Contender {
    var name: String
    /// How many samples a round takes of it.
    var count: Int
    /// Does the work so many times; how long each took.
    var measure: (Int) async throws -> [Int]
}

/// Lets contenders take turns, in an order that shifts from round to round; the first round warms up and is dropped.
func takeTurns(_ contenders: [Contender], rounds: Int) async throws -> [Samples] {
    var samples = contenders.map { Samples($0.name) }
    for round in 0...rounds {
        for turn in contenders.indices {
            let index = (turn + round) % contenders.count
            let contender = contenders[index]
            let times = try await contender.measure(round == 0 ? max(1, contender.count / 5) : contender.count)
            if round > 0 { samples[index].add(times) }
        }
    }
    return samples
}

/// CLOCK_MONOTONIC in nanoseconds.
func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Why a benchmark could not be run: a sentence.
struct BenchmarkError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
