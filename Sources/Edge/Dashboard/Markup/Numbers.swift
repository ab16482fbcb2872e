import Comparison
import Linux

/// Numbers as the pages write them; "–" where nothing was measured.
enum Numbers {
    static let nothing = "–"

    static func count(_ value: Int?) -> String { value.map { FloatingText.grouped($0) } ?? nothing }
    static func rate(_ value: Double?) -> String { value.map { FloatingText.short($0) } ?? nothing }
    static func bytes(_ value: Int?) -> String { value.map { FloatingText.bytes($0) } ?? nothing }
    static func seconds(_ value: Double?) -> String { value.map { FloatingText.duration(nanoseconds: $0 * 1e9) } ?? nothing }
    static func percent(_ share: Double?) -> String { share.map { FloatingText.short($0 * 100) + " %" } ?? nothing }
    static func cpus(_ value: Double?) -> String { value.map { FloatingText.fixed($0, decimals: 2) } ?? nothing }

    /// "now", "42 s", "5 min", "3 h", "12 d".
    static func age(since time: Timestamp, now: Timestamp) -> String {
        let seconds = max(0, now.nanoseconds - time.nanoseconds) / 1_000_000_000
        switch seconds {
        case 0: return "now"
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) d"
        }
    }

    /// "2026-11-30 06:12:03", in UTC.
    static func moment(_ time: Timestamp) -> String {
        let text = Array(time.description.utf8)
        return String(decoding: text[0..<10] + [UInt8(ascii: " ")] + text[11..<19], as: UTF8.self)
    }
}

extension Markup {
    /// A moment with how long ago it was.
    mutating func age(_ time: Timestamp?, now: Timestamp) {
        guard let time else { return write(Numbers.nothing) }
        let moment = Numbers.moment(time)
        element("time", Attribute("datetime", time.description), Attribute("title", moment + " UTC"), text: Numbers.age(since: time, now: now))
    }

    /// A moment as date and time.
    mutating func moment(_ time: Timestamp) {
        element("time", Attribute("datetime", time.description), text: Numbers.moment(time))
    }
}
