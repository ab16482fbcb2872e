import Engine
import Testing

struct PreparationDemandTests {
    private let begin = ContinuousClock.now

    private func order(_ template: UInt32, _ count: Int) -> PreparationDemand.Order { .init(template: template, count: count) }

    @Test func `a program that is started once or twice is not prepared for`() {
        var demand = PreparationDemand()
        let answers = (0..<2).map { demand.started(1, at: begin + .seconds($0)) }
        #expect(answers == [nil, nil])
        #expect(!demand.isActive)
    }

    @Test func `a program that is started again and again is prepared for, once`() {
        var demand = PreparationDemand()
        let answers = (0..<6).map { demand.started(1, at: begin + .seconds($0)) }
        #expect(answers == [nil, nil, order(1, PreparationDemand.count), nil, nil, nil])
        #expect(demand.isActive)
    }

    @Test func `starts that are far apart are no demand`() {
        var demand = PreparationDemand()
        let answers = (0..<6).map { demand.started(1, at: begin + .seconds($0 * 6)) }
        #expect(answers.allSatisfy { $0 == nil })
    }

    @Test func `a template that nobody starts any more is let go`() {
        var demand = PreparationDemand()
        for second in 0..<3 { _ = demand.started(7, at: begin + .seconds(second)) }
        let released = [12, 13, 99].map { demand.released(at: begin + .seconds($0)) }
        #expect(released == [[], [order(7, 0)], []])
        #expect(!demand.isActive)
    }

    @Test func `for what is expected one child waits`() {
        var demand = PreparationDemand()
        #expect(demand.expect(1) == [order(1, 1)])
        #expect(demand.expect(1) == [])
    }

    @Test func `what was expected first gives way`() {
        var demand = PreparationDemand()
        for template in 1...UInt32(PreparationDemand.expectedLimit) { _ = demand.expect(template) }
        _ = demand.expect(1)
        #expect(demand.expect(99) == [order(99, 1), order(2, 0)])
    }

    @Test func `what is expected keeps one child when nobody starts it any more`() {
        var demand = PreparationDemand()
        for second in 0..<3 { _ = demand.started(7, at: begin + .seconds(second)) }
        #expect(demand.expect(7) == [])
        #expect(demand.released(at: begin + .seconds(99)) == [order(7, 1)])
    }

    @Test func `a template that is gone is not expected any more`() {
        var demand = PreparationDemand()
        _ = demand.expect(7)
        demand.forget(7)
        #expect(demand.expect(7) == [order(7, 1)])
    }
}
