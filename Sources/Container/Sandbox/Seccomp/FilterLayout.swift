/// Lays a graph of decisions out as instructions.
///
/// BPF jumps only forward, so the program is written from its end: by the time a decision is written, both its
/// outcomes have their places. A conditional jump reaches 255 instructions; an outcome farther away gets a detour
/// just behind the decision. A word that the previous decision has loaded already is not loaded again.
///
/// Invariants
/// 1. The first instruction belongs to the root, the last one is a verdict, and every jump lands inside the program.
/// 2. Equal graphs give equal programs.
/// Tests: Tests/SandboxTests/SeccompFilterTests.swift.
struct FilterLayout {
    /// The program of the graph that begins at `root`.
    static func instructions(of graph: FilterGraph, from root: FilterGraph.Node) -> [BPFInstruction] {
        var layout = FilterLayout(graph: graph, root: root)
        for node in 0...root where layout.isReached[node] { layout.place(node) }
        return layout.backward.reversed()
    }

    private let graph: FilterGraph
    private var isReached: [Bool]
    /// Decisions that something reaches which has not loaded their word.
    private var needsLoad: [Bool]

    /// The program, last instruction first; a place is an index into it.
    private var backward: [BPFInstruction] = []
    /// Where a node begins.
    private var entry: [Int]
    /// Where a decision begins for those who have loaded its word.
    private var entryWhenLoaded: [Int]

    private init(graph: FilterGraph, root: FilterGraph.Node) {
        self.graph = graph
        isReached = [Bool](repeating: false, count: root + 1)
        needsLoad = isReached
        entry = [Int](repeating: -1, count: root + 1)
        entryWhenLoaded = entry
        isReached[root] = true
        needsLoad[root] = true
        for node in stride(from: root, through: 0, by: -1) where isReached[node] {
            guard case .decision(let decision) = graph.contents[node] else { continue }
            for next in [decision.yes, decision.no] {
                isReached[next] = true
                if word(of: next) != decision.word { needsLoad[next] = true }
            }
        }
    }

    private func word(of node: FilterGraph.Node) -> FilterGraph.Word? {
        if case .decision(let decision) = graph.contents[node] { decision.word } else { nil }
    }

    private mutating func place(_ node: FilterGraph.Node) {
        switch graph.contents[node] {
        case .verdict(let value):
            backward.append(BPFInstruction(BPFInstruction.verdict, value))
        case .decision(let decision):
            placeJump(decision)
            entryWhenLoaded[node] = backward.count - 1
            if needsLoad[node] { placeLoad(decision.word) }
        }
        entry[node] = backward.count - 1
    }

    private mutating func placeJump(_ decision: FilterGraph.Decision) {
        var yes = target(decision.yes, after: decision.word)
        var no = target(decision.no, after: decision.word)
        // One less than the reach: the other outcome's detour may come between.
        if distance(to: yes) > 254 { yes = placeDetour(to: yes) }
        if distance(to: no) > 254 { no = placeDetour(to: no) }
        backward.append(
            BPFInstruction(
                decision.comparison.code, decision.operand,
                jumpTrue: UInt8(distance(to: yes)), jumpFalse: UInt8(distance(to: no))))
    }

    private func target(_ node: FilterGraph.Node, after word: FilterGraph.Word) -> Int {
        self.word(of: node) == word ? entryWhenLoaded[node] : entry[node]
    }

    /// How many instructions lie between a place and the one that is written next.
    private func distance(to place: Int) -> Int { backward.count - 1 - place }

    private mutating func placeDetour(to place: Int) -> Int {
        if backward[place].code == BPFInstruction.verdict {
            backward.append(backward[place])
        } else {
            backward.append(BPFInstruction(BPFInstruction.jump, UInt32(distance(to: place))))
        }
        return backward.count - 1
    }

    private mutating func placeLoad(_ word: FilterGraph.Word) {
        if word.mask != .max { backward.append(BPFInstruction(BPFInstruction.and, word.mask)) }
        backward.append(BPFInstruction(BPFInstruction.load, word.offset))
    }
}

extension FilterGraph.Comparison {
    fileprivate var code: UInt16 {
        switch self {
        case .equal: BPFInstruction.jumpIfEqual
        case .greater: BPFInstruction.jumpIfGreater
        case .greaterOrEqual: BPFInstruction.jumpIfGreaterOrEqual
        case .anyBit: BPFInstruction.jumpIfAnyBit
        }
    }
}
