import JSON

/// A number of pods, or a part of them in percent (intstr.IntOrString).
enum IntOrPercent {
    /// - Returns: nil when it is neither; a percentage of `total` rounded in the direction asked for.
    static func scaled(_ value: JSONValue?, of total: Int64, roundUp: Bool) -> Int64? {
        if let number = value?.integer { return number }
        guard let text = value?.string, text.hasSuffix("%"), let percent = Int64(text.dropLast()),
            percent >= 0, percent <= 1_000_000
        else { return nil }
        let product = percent * total
        return roundUp ? (product + 99) / 100 : product / 100
    }
}
