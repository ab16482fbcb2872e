/// Names and words of others as a page shows them: nothing that cannot be seen, nothing that turns or moves what stands
/// around it, and no more of it than there is room for.
package enum DisplayText {
    /// Characters of a name in a table.
    static let nameLimit = 96
    /// Characters of a text that has a place of its own.
    static let textLimit = 4096

    /// Control characters become their pictures, all that is invisible or directs text its number; longer text is cut and
    /// says so.
    package static func visible(_ text: String, limit: Int = nameLimit) -> String {
        var shown = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else { return shown + "…" }
            count += 1
            switch scalar.value {
            case 0...0x1F: shown.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value)!)
            case 0x7F: shown.unicodeScalars.append("\u{2421}")
            case 0x20...0x7E: shown.unicodeScalars.append(scalar)
            default:
                if isSeen(scalar) {
                    shown.unicodeScalars.append(scalar)
                } else {
                    shown += "⟨U+" + String(scalar.value, radix: 16, uppercase: true) + "⟩"
                }
            }
        }
        return shown
    }

    /// Whether it is shown as itself.
    static func isSeen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}

extension Markup {
    /// Somebody else's words, isolated from the direction of what stands around them.
    mutating func name(_ text: String, limit: Int = DisplayText.nameLimit) {
        element("bdi", text: DisplayText.visible(text, limit: limit))
    }
}
