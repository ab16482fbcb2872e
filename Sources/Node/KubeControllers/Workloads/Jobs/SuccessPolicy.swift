import JSON

/// When an indexed Job has succeeded before all its indexes have.
enum SuccessPolicy {
    /// - Returns: what the condition says, by the first rule that holds.
    static func met(_ policy: JSONValue?, _ succeeded: CompletionIndexes, completions: Int64) -> String? {
        for (index, rule) in (policy?["rules"]?.array ?? []).enumerated() {
            let enough = rule["succeededCount"]?.integer
            let isMet: Bool
            if let text = rule["succeededIndexes"]?.string {
                let wanted = CompletionIndexes(text, below: completions)
                isMet = !wanted.isEmpty && succeeded.countCommon(with: wanted) >= enough ?? wanted.count
            } else {
                isMet = enough.map { succeeded.count >= $0 } ?? false
            }
            if isMet { return "Matched rules at index \(index)" }
        }
        return nil
    }
}
