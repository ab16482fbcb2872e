internal import Comparison

/// Figures as sentences have them.
enum SizeText {
    static func bytes(_ count: Int) -> String { FloatingText.bytes(count) }
    static func seconds(_ seconds: Double) -> String { FloatingText.duration(nanoseconds: seconds * 1e9) }
    static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
    static func number(_ value: Double) -> String { FloatingText.fixed(value, decimals: value < 10 ? 2 : 0) }
    static func money(_ value: Double) -> String { FloatingText.fixed(value, decimals: value.magnitude < 0.01 ? 6 : 2) }
    static func percent(_ share: Double) -> String {
        let percent = share * 100
        return FloatingText.fixed(percent, decimals: percent >= 10 || percent == 0 ? 0 : percent >= 1 ? 1 : 3) + " %"
    }
}
