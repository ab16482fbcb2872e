/// Spans of time in Docker's words: exact enough for a table, never a number with a fraction.
enum HumanTime {
    /// "Less than a second", "3 seconds", "About a minute", "2 hours", "5 weeks".
    static func span(seconds: Int) -> String {
        let seconds = max(0, seconds)
        let minutes = seconds / 60
        let hours = (minutes + 30) / 60
        switch seconds {
        case 0: return "Less than a second"
        case 1: return "1 second"
        case ..<60: return "\(seconds) seconds"
        default: break
        }
        if minutes == 1 { return "About a minute" }
        if minutes < 60 { return "\(minutes) minutes" }
        if hours == 1 { return "About an hour" }
        if hours < 48 { return "\(hours) hours" }
        if hours < 24 * 14 { return "\(hours / 24) days" }
        if hours < 24 * 60 { return "\(hours / 24 / 7) weeks" }
        if hours < 24 * 365 * 2 { return "\(hours / 24 / 30) months" }
        return "\(hours / 24 / 365) years"
    }

    /// "2 minutes ago".
    static func ago(seconds: Int) -> String { span(seconds: seconds) + " ago" }
}
