import Comparison
import Testing

@Suite struct DistributionTests {
    @Test func `no samples make no distribution`() {
        #expect(Distribution(nanoseconds: []) == nil)
    }

    // The worked example of the nearest-rank method: 15, 20, 35, 40, 50.
    @Test(arguments: [(5, 15), (20, 15), (30, 20), (40, 20), (50, 35), (80, 40), (81, 50), (100, 50)])
    func `a percentile is the sample of the nearest rank`(_ percent: Int, _ nanoseconds: Int) throws {
        let distribution = try #require(Distribution(nanoseconds: [50, 15, 40, 20, 35]))
        #expect(distribution.percentile(percent).nanoseconds == nanoseconds)
    }

    @Test(arguments: [1, 2, 3, 10, 99, 100, 101, 1000])
    func `every percentile of 1 to n is the number that its definition gives`(_ count: Int) throws {
        let distribution = try #require(Distribution(nanoseconds: (1...count).shuffled()))
        for percent in 1...100 {
            let found = distribution.percentile(percent)
            // The smallest sample that at least `percent` of the samples do not exceed, by searching for it.
            let expected = (1...count).first { $0 * 100 >= percent * count }
            #expect(found.nanoseconds == expected)
            #expect(found.rank == expected)
        }
        #expect(distribution.minimum == 1)
        #expect(distribution.maximum == count)
        #expect(distribution.mean == Double(count + 1) / 2)
    }

    @Test func `a 99th percentile of 99 samples says it is the largest of them`() throws {
        let few = try #require(Distribution(nanoseconds: Array(1...99)))
        #expect(few.p99.standsOnTooFew)
        #expect(few.p99.nanoseconds == few.maximum)
        #expect(few.p99.caveat == "p99 is the largest of 99 samples: 100 are needed to tell")
        let enough = try #require(Distribution(nanoseconds: Array(1...100)))
        #expect(!enough.p99.standsOnTooFew)
        #expect(enough.p99.nanoseconds == 99)
        #expect(enough.p99.caveat == nil)
    }

    @Test(arguments: [(50, 2), (90, 10), (95, 20), (99, 100)])
    func `a percentile differs from the largest sample from this many on`(_ percent: Int, _ needed: Int) throws {
        #expect(Percentile.samplesNeeded(percent: percent) == needed)
        let enough = try #require(Distribution(nanoseconds: Array(1...needed)))
        #expect(enough.percentile(percent).nanoseconds < enough.maximum)
        let few = try #require(Distribution(nanoseconds: Array(1..<needed)))
        #expect(few.percentile(percent).nanoseconds == few.maximum)
        #expect(few.percentile(percent).standsOnTooFew)
    }

    @Test func `one sample is every percentile and says that it is alone`() throws {
        let one = try #require(Distribution(nanoseconds: [7]))
        #expect(one.p50.nanoseconds == 7)
        #expect(one.p50.caveat == "p50 is the only sample: 2 are needed to tell")
        #expect(one.percentile(100).caveat == nil)
    }

    @Test func `the mean of huge samples does not overflow`() throws {
        let huge = try #require(Distribution(nanoseconds: [.max, .max]))
        #expect(huge.mean == Double(Int.max))
    }
}
