import Metrics
import Testing

struct NearestRankTests {
    @Test(arguments: [
        (0, 10, 1), (1, 10, 1), (50, 1, 1), (50, 2, 1), (50, 3, 2), (90, 10, 9), (91, 10, 10), (99, 99, 99), (99, 100, 99),
        (99, 101, 100), (100, 7, 7), (50, 0, 1),
    ])
    func `the rank is the first that so many percent do not exceed`(percent: Int, count: Int, rank: Int) {
        #expect(NearestRank.rank(percent, of: count) == rank)
    }

    @Test func `the largest count has a rank`() {
        #expect(NearestRank.rank(100, of: .max) == .max)
        #expect(NearestRank.rank(50, of: .max) == .max / 2 + 1)
    }

    @Test func `a percentile is one of the values, and of none there is none`() {
        #expect(NearestRank.value(50, of: [1, 2, 3, 10]) == 2)
        #expect(NearestRank.value(99, of: [0.5]) == 0.5)
        #expect(NearestRank.value(50, of: [Int]()) == nil)
    }
}
