import Engine
import Testing

struct PreparationDemandTests {
    private let begin = ContinuousClock.now

    @Test func `a program that is started once or twice is not prepared for`() {
        var demand = PreparationDemand()
        let answers = (0..<2).map { demand.started(1, at: begin + .seconds($0)) }
        #expect(answers == [false, false])
        #expect(!demand.isActive)
    }

    @Test func `a program that is started again and again is prepared for, once`() {
        var demand = PreparationDemand()
        let answers = (0..<6).map { demand.started(1, at: begin + .seconds($0)) }
        #expect(answers == [false, false, true, false, false, false])
        #expect(demand.isActive)
    }

    @Test func `starts that are far apart are no demand`() {
        var demand = PreparationDemand()
        let answers = (0..<6).map { demand.started(1, at: begin + .seconds($0 * 6)) }
        #expect(!answers.contains(true))
    }

    @Test func `a template that nobody starts any more is let go`() {
        var demand = PreparationDemand()
        for second in 0..<3 { _ = demand.started(7, at: begin + .seconds(second)) }
        let released = [12, 13, 99].map { demand.released(at: begin + .seconds($0)) }
        #expect(released == [[], [7], []])
        #expect(!demand.isActive)
    }
}
