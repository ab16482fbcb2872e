import Linux
import TestKit
import Testing

@testable import Dashboard

@Suite struct WorkloadSelectionTests {
    static func some(_ count: Int) -> [Workload] {
        var chance = SeededChance(seed: 7)
        return (0..<count).map { number in
            var workload = Workload(
                WorkloadKey(.container, "\(number)"), name: "w\(Int.random(in: 0..<count / 2 + 1, using: &chance))",
                rung: WorkloadRung.allCases.randomElement(using: &chance)!, tone: .good,
                state: ["running", "exited (1)"].randomElement(using: &chance)!, what: "program",
                since: Bool.random(using: &chance) ? Timestamp(nanoseconds: Int.random(in: 0..<9, using: &chance)) : nil)
            workload.figures.callsPerSecond = Bool.random(using: &chance) ? Double(Int.random(in: 0..<9, using: &chance)) : nil
            return workload
        }
    }

    @Test(arguments: WorkloadSelection.Order.allCases, [false, true])
    func `every workload stands on one page, in every order`(_ order: WorkloadSelection.Order, _ isDescending: Bool) {
        let all = Self.some(233)
        var wish = WorkloadSelection()
        wish.order = order
        wish.isDescending = isDescending
        var seen: [String] = []
        for page in 0..<wish.select(all).pages {
            wish.page = page
            let found = wish.select(all.shuffled())
            #expect(found.total == 233 && found.page == page)
            seen += found.rows.map(\.key.id)
        }
        #expect(seen.count == 233 && Set(seen).count == 233)
    }

    @Test func `a page beyond the last is the last`() {
        let found = WorkloadSelection(["page": "999999"]).select(Self.some(60))
        #expect(found.page == 1 && found.rows.count == 10 && found.pages == 2)
        #expect(WorkloadSelection(["page": "-3"]).select([]).pages == 1)
    }

    @Test func `all words of a search must be there, in any case`() {
        let one = Workload(WorkloadKey(.function, "f"), name: "Price-Engine", rung: .function, tone: .good, state: "2 busy", what: "python3.11")
        for (search, isFound) in [("price", true), ("ENGINE python", true), ("price ruby", false), ("", true), ("   ", true)] {
            #expect(WorkloadSelection(["q": search]).select([one]).rows.isEmpty == !isFound)
        }
        #expect(WorkloadSelection(["rung": "container"]).select([one]).rows.isEmpty)
    }

    @Test func `numbers are ordered as numbers, with what was not measured at the end`() {
        let rates: [Double?] = [nil, 9, 10, 0]
        let all = rates.enumerated().map { number, rate in
            var workload = Workload(WorkloadKey(.function, "\(number)"), name: "n\(number)", rung: .function, tone: .good, state: "")
            workload.figures.callsPerSecond = rate
            return workload
        }
        let found = WorkloadSelection(["sort": "calls", "order": "desc"]).select(all)
        #expect(found.rows.map(\.figures.callsPerSecond) == [10, 9, 0, nil])
    }

    @Test func `what is asked for stands in the address`() {
        let query = ["q": "a b", "rung": "function", "sort": "p99", "order": "desc", "page": "3"]
        let wish = WorkloadSelection(query)
        let pairs = Dictionary(uniqueKeysWithValues: wish.query.compactMap { name, value in value.map { (name, $0) } })
        #expect(pairs == query)
        #expect(WorkloadSelection(["sort": "<script>", "rung": "x", "order": "up"]) == WorkloadSelection())
    }
}

@Suite struct DashboardActionTests {
    @Test func `an action is read from the fields that it writes`() {
        let actions: [DashboardAction] = [
            .startContainer("a"), .stopContainer("a"), .restartContainer("a"), .removeContainer("a"), .rollBackShift("s"), .pauseShift("s"),
            .resumeShift("s"), .provision(function: "f", qualifier: "1", copies: 3), .provision(function: "f", qualifier: "1", copies: nil),
            .deleteFunction("f"), .removeImage("sha256:1"), .verifyLedger,
        ]
        for action in actions {
            let fields = Dictionary(uniqueKeysWithValues: action.fields.compactMap { name, value in value.map { (name, $0) } })
            #expect(DashboardAction(fields) == action)
            #expect(!action.title.isEmpty && !action.consequence.isEmpty && !action.subject.isEmpty)
        }
    }

    @Test func `what is no action is none`() {
        for fields in [
            [:], ["do": "format-disk", "id": "/"], ["do": "stop"], ["do": "stop", "id": ""], ["do": "provision", "id": "f"],
            ["do": "provision", "id": "f", "qualifier": "1", "copies": "-1"], ["do": "provision", "id": "f", "qualifier": "1", "copies": "x"],
            ["do": "stop", "id": String(repeating: "x", count: 9000)],
        ] as [[String: String]] {
            #expect(DashboardAction(fields) == nil)
        }
    }
}
