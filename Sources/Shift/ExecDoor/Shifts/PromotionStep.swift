/// A stage that a shift goes through by itself: `shadow:200`, `canary=10:500`, `full`.
///
/// The number is that of calls, without a limit passed, after which the next step is taken; the last one has none.
package struct PromotionStep: Hashable, Sendable, CustomStringConvertible {
    package var stage: ShiftStage
    package var calls: Int?

    package init(_ stage: ShiftStage, calls: Int?) {
        self.stage = stage
        self.calls = calls
    }

    package init(_ text: String) throws(ShiftProblem) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let words = parts[0].split(separator: "=", omittingEmptySubsequences: false)
        let problem = ShiftProblem(
            "\"\(text)\" is no step of a promotion: expected shadow:CALLS, canary=PERCENT:CALLS or full, such as canary=10:500"
        )
        guard parts.count <= 2, words.count <= 2, let mode = ShiftMode(rawValue: String(words[0])) else {
            throw problem
        }
        let percent = words.count == 2 ? Int(words[1]) : nil
        guard words.count == 1 || percent != nil, let stage = ShiftStage(mode, percent: percent) else { throw problem }
        var calls: Int?
        if parts.count == 2 {
            guard let number = Int(parts[1]), (1...1_000_000_000).contains(number) else { throw problem }
            calls = number
        }
        self.init(stage, calls: calls)
    }

    package var description: String {
        (stage.mode == .canary ? "canary=\(stage.percent)" : stage.mode.rawValue) + (calls.map { ":\($0)" } ?? "")
    }

    /// The first step is where the shift begins, every other goes further, and only the last one has no end.
    static func check(_ steps: [PromotionStep], from stage: ShiftStage) throws(ShiftProblem) {
        guard steps.count >= 2 else {
            throw ShiftProblem("a promotion needs two steps or more, such as shadow:200,full")
        }
        guard steps[0].stage == stage else {
            throw ShiftProblem(
                "a promotion begins where the shift does: its first step is \(steps[0].stage), the mode is \(stage)")
        }
        for (step, next) in zip(steps, steps.dropFirst()) {
            guard step.calls != nil else {
                throw ShiftProblem("step \(step): after how many calls does \(next.stage) follow?")
            }
            guard step.stage.rank < next.stage.rank else {
                throw ShiftProblem("a promotion goes forward: \(next.stage) does not come after \(step.stage)")
            }
        }
        guard steps.last?.calls == nil else {
            throw ShiftProblem("the last step of a promotion, \(steps.last!), has no number of calls: it stays")
        }
    }
}

extension ShiftStage {
    /// How far it is: the larger, the more depends on the target.
    var rank: Int {
        switch mode {
        case .measure: -2
        case .shadow: -1
        case .canary, .full: percent
        }
    }
}
