import Comparison
import Engine

/// One event on one line, as Docker writes it: `TIME TYPE ACTION ID (key=value, ...)`.
enum EventText {
    static func line(_ event: NodeEvent) -> String {
        let attributes = event.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let words = ["\(event.time)", event.kind.rawValue, event.action, event.subject]
        // Names and labels are anybody's: what would move the cursor is shown, not done.
        return DisplayWidth.printable(words.joined(separator: " ") + " (\(attributes.joined(separator: ", ")))")
    }
}
