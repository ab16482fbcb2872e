import Comparison

/// A rung of a comparison by its name on the command line.
enum RungChoice: String, CaseIterable {
    case fork, process, container, service, standby, lambda, cold, zygote, warm

    /// Whether it runs on a node.
    var needsNode: Bool { ![.fork, .process, .service].contains(self) }

    /// Names that stand for several.
    private static let groups: [String: [RungChoice]] = [
        "all": allCases, "function": [.standby, .lambda, .cold, .zygote, .warm],
    ]

    /// The rungs of a list such as "fork,container,function", in the order of the ladder.
    static func parse(_ text: String) throws(FlagError) -> [RungChoice] {
        var chosen: Set<RungChoice> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            if let group = groups[word] {
                chosen.formUnion(group)
            } else if let one = RungChoice(rawValue: word) {
                chosen.insert(one)
            } else {
                throw FlagError(
                    "--rungs", word, "no rung has this name",
                    advice:
                        "Write some of \(allCases.map(\.rawValue).joined(separator: ", ")), or function for the last five, or all."
                )
            }
        }
        return allCases.filter { chosen.contains($0) }
    }
}

extension BesideTool {
    /// The tools of a list such as "runc,docker".
    static func parse(_ text: String) throws(FlagError) -> [BesideTool] {
        var tools: [BesideTool] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            guard let tool = BesideTool(rawValue: word) else {
                throw FlagError(
                    "--beside", word, "no tool that is known here has this name",
                    advice: "Write some of \(allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            if !tools.contains(tool) { tools.append(tool) }
        }
        return tools
    }
}
