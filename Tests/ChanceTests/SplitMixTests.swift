import Testing

@testable import Chance

@Suite struct SplitMixTests {
    @Test func `the sequence is the published one`() {
        var chance = SplitMix(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in chance.next() } == expected)
    }

    @Test func `fractions are spread from 0 up to 1`() {
        var chance = SplitMix(seed: 7)
        let fractions = (0..<10_000).map { _ in chance.fraction() }
        #expect(fractions.allSatisfy { $0 >= 0 && $0 < 1 })
        for tenth in 0..<10 {
            let share = fractions.count { Int($0 * 10) == tenth }
            #expect((850...1150).contains(share), "\(share) of 10,000 in tenth \(tenth)")
        }
    }
}
